import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hankcs.algorithm.AhoCorasickDoubleArrayTrie;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * A Kafka Streams app as its documentation shows it: a Serde for Avro, mapValues, filter, to.
 *
 * <p>Decodes every listing whole, looks for the marks in its lower-cased texts by a double-array
 * Aho-Corasick automaton, and writes a takedown as JSON. Reads a job (work.Job) from the file it is
 * given, the topic PASSES times over, and prints the outcome (work.Outcome) of the last pass: by
 * then the code is compiled.
 */
public final class StreamsPeer {
  private static final int PASSES = 3;
  private static final int HEADER_BYTES = 5;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final JsonNode job;
  private final Schema schema;
  private final AhoCorasickDoubleArrayTrie<String> marks = new AhoCorasickDoubleArrayTrie<>();
  private final long listings;
  private final long below;
  private final String currency;

  // Touched by the one stream thread; read when it has ended.
  private long handled;
  private long named;
  private long acted;
  private long[] started;
  private long[] ended;

  private StreamsPeer(JsonNode job) {
    this.job = job;
    schema = new Schema.Parser().parse(job.get("schema").toString());
    listings = job.get("listings").asLong();
    below = job.get("below_minor").asLong();
    currency = job.get("currency").asText();
    Map<String, String> byText = new TreeMap<>();
    for (JsonNode mark : job.get("marks")) {
      byText.put(mark.asText().toLowerCase(Locale.ROOT), mark.asText());
    }
    marks.build(byText);
  }

  public static void main(String[] arguments) throws Exception {
    JsonNode job = JSON.readTree(Path.of(arguments[0]).toFile());
    StreamsPeer last = null;
    for (int pass = 0; pass < PASSES; pass++) {
      last = new StreamsPeer(job);
      last.run(job.get("group").asText() + "-" + pass);
    }
    System.out.println(JSON.writeValueAsString(last.outcome()));
  }

  private void run(String application) throws Exception {
    Path state = Files.createTempDirectory("streams-peer-");
    Properties properties = new Properties();
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("bootstrap").asText());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    properties.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    CountDownLatch done = new CountDownLatch(1);
    try (KafkaStreams streams = new KafkaStreams(topology(done), properties)) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            done.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      streams.start();
      if (!done.await(10, TimeUnit.MINUTES) || ended == null) {
        throw new IllegalStateException("ended after " + handled + " of " + listings);
      }
    }
  }

  private Topology topology(CountDownLatch done) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(job.get("topic").asText(), Consumed.with(Serdes.ByteArray(), listingSerde()))
        .mapValues(listing -> counted(judge(listing), done))
        .filter((key, takedown) -> takedown != null)
        .to(job.get("takedowns").asText(), Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
    return builder.build();
  }

  private Serde<GenericRecord> listingSerde() {
    GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
    BinaryDecoder[] decoder = new BinaryDecoder[1];
    Deserializer<GenericRecord> deserializer =
        (topic, data) -> {
          decoder[0] =
              DecoderFactory.get()
                  .binaryDecoder(data, HEADER_BYTES, data.length - HEADER_BYTES, decoder[0]);
          try {
            return reader.read(null, decoder[0]);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        };
    return Serdes.serdeFrom((topic, listing) -> null, deserializer);
  }

  /** Returns the takedown of a listing as JSON, or null. */
  private byte[] judge(GenericRecord listing) {
    String text = listing.get("title") + "\n" + listing.get("brand") + "\n"
        + listing.get("description");
    String[] found = new String[1];
    marks.parseText(
        text.toLowerCase(Locale.ROOT),
        (int begin, int end, String mark) -> {
          found[0] = mark;
          return false;
        });
    if (found[0] == null) {
      return null;
    }
    named++;
    Object price = listing.get("price_minor");
    if (price == null
        || !listing.get("currency").toString().equals(currency)
        || (Long) price >= below) {
      return null;
    }
    acted++;
    Map<String, Object> takedown = new LinkedHashMap<>();
    takedown.put("listing_id", listing.get("listing_id").toString());
    takedown.put("revision", listing.get("revision"));
    takedown.put("seller_id", listing.get("seller_id").toString());
    takedown.put("mark", found[0]);
    takedown.put("price_minor", price);
    try {
      return JSON.writeValueAsBytes(takedown);
    } catch (JsonProcessingException error) {
      throw new UncheckedIOException(error);
    }
  }

  private byte[] counted(byte[] takedown, CountDownLatch done) {
    handled++;
    if (handled == 1) {
      started = now();
    }
    if (handled == listings) {
      ended = now();
      done.countDown();
    }
    return takedown;
  }

  /** Returns how many were handled, the clock, CPU time of this process and of the broker (ns). */
  private long[] now() {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long broker =
        ProcessHandle.of(job.get("broker").asLong())
            .flatMap(process -> process.info().totalCpuDuration())
            .orElseThrow()
            .toNanos();
    return new long[] {handled, System.nanoTime(), system.getProcessCpuTime(), broker};
  }

  private Map<String, Object> outcome() {
    Map<String, Object> outcome = new LinkedHashMap<>();
    outcome.put("version", AppInfoParser.getVersion());
    outcome.put("listings", ended[0] - started[0]);
    outcome.put("seconds", (ended[1] - started[1]) / 1e9);
    outcome.put("cpu", (ended[2] - started[2]) / 1e9);
    outcome.put("broker", (ended[3] - started[3]) / 1e9);
    outcome.put("read", PASSES * listings);
    outcome.put("named", PASSES * named);
    outcome.put("acted", PASSES * acted);
    return outcome;
  }
}
