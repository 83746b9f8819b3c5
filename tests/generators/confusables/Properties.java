import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.lang.UProperty;
import com.ibm.icu.lang.UScript;
import com.ibm.icu.text.Normalizer2;
import com.ibm.icu.text.SpoofChecker;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Prints, for every assigned code point, what ICU knows of it, tab-separated: the code point, its
 * general category (two letters), its script (four letters), whether it is default-ignorable (0/1),
 * its NFKC form, its NFD form and its UTS #39 skeleton (all in hexadecimal), its name.
 */
public class Properties {
  private static String hex(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints().forEach(c -> out.append(out.length() == 0 ? "" : " ").append(String.format("%04X", c)));
    return out.toString();
  }

  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    SpoofChecker checker = new SpoofChecker.Builder().build();
    Normalizer2 nfkc = Normalizer2.getNFKCInstance();
    Normalizer2 nfd = Normalizer2.getNFDInstance();
    out.printf("# Unicode %s%n", UCharacter.getUnicodeVersion().getVersionString(2, 2));
    for (int code = 0; code <= 0x10FFFF; code++) {
      int type = UCharacter.getType(code);
      boolean ignorable = UCharacter.hasBinaryProperty(code, UProperty.DEFAULT_IGNORABLE_CODE_POINT);
      if (type == UCharacter.SURROGATE || type == UCharacter.PRIVATE_USE) continue;
      if (type == UCharacter.UNASSIGNED && !ignorable) continue;
      String text = new String(Character.toChars(code));
      out.printf("%04X\t%s\t%s\t%d\t%s\t%s\t%s\t%s%n", code,
          UCharacter.getPropertyValueName(UProperty.GENERAL_CATEGORY, type, UProperty.NameChoice.SHORT),
          UScript.getShortName(UScript.getScript(code)), ignorable ? 1 : 0,
          hex(nfkc.normalize(text)), hex(nfd.normalize(text)), hex(checker.getSkeleton(text)),
          UCharacter.getName(code) == null ? "" : UCharacter.getName(code));
    }
    out.flush();
  }
}
