"""A Kafka that lets in nobody it does not know, and lets nobody do more than its lists say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.services.downloads import kafka_log_libraries
from deploy.services.kafka import Kafka
from deploy.services.process import accepts, free_port

_LISTENERS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{mutual}
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:SSL
inter.broker.listener.name=SSL
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.ssl.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={identity}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users={super_users}
allow.everyone.if.no.acl.found=false
"""

_LOG = """\
<Configuration>
  <Appenders>
    <File name="file" fileName="decisions.log"><PatternLayout pattern="%m%n"/></File>
  </Appenders>
  <Loggers>
    <Logger name="kafka.authorizer.logger" level="DEBUG"><AppenderRef ref="file"/></Logger>
    <Logger name="org.apache.kafka.common.network.Selector" level="INFO">
      <AppenderRef ref="file"/>
    </Logger>
    <Root level="OFF"/>
  </Loggers>
</Configuration>
"""


class SecureKafka(Kafka):
    """A real broker by TLS alone: `bootstrap` wants SCRAM-SHA-512, `mutual` a certificate.

    Who may do what, and who is not let in, is written to `decisions` as it is asked, a line each.
    """

    name = "secure-kafka"

    def __init__(
        self, identity: Path, authority: Path, super_users: Sequence[str], users: Mapping[str, str]
    ) -> None:
        """Prepare a broker.

        `identity` is the PEM file of its key and certificate, `authority` that of whom it trusts.
        The common name of its certificate has to be one of `super_users`, who may do everything.
        `users` are SCRAM users with their passwords.
        """
        super().__init__()
        self._log_libraries = kafka_log_libraries() / "libs"
        self._identity, self._authority = identity, authority
        self._super_users, self._users = super_users, users
        self.mutual_port = free_port()

    @property
    def mutual(self) -> str:
        """`host:port` of the listener that wants a certificate."""
        return f"127.0.0.1:{self.mutual_port}"

    @property
    def decisions(self) -> Path:
        """Where each decision of the authorizer stands, and each failed log-in."""
        return self.folder / "decisions.log"

    def properties(self) -> str:
        """Return the broker's configuration."""
        (self.folder / "log4j2.xml").write_text(_LOG)
        shared = super().properties().partition("controller.listener.names=CONTROLLER\n")[2]
        return shared + _LISTENERS.format(
            port=self.port,
            mutual=self.mutual_port,
            controller=free_port(),
            identity=self._identity,
            authority=self._authority,
            super_users=";".join(f"User:{name}" for name in self._super_users),
        )

    def format_options(self) -> list[str]:
        """Return the users, as the storage tool takes them."""
        return [
            f"--add-scram=SCRAM-SHA-512=[name={name},password={password}]"
            for name, password in self._users.items()
        ]

    def _java(self, heap: str, *arguments: str) -> list[str]:
        command = super()._java(heap, *arguments)
        place = command.index("-cp") + 1
        command[place] += f":{self._log_libraries}/*"
        return [command[0], "-Dlog4j2.configurationFile=log4j2.xml", *command[1:]]

    def answers(self) -> bool:
        """Return whether it listens: who may ask it more is for the caller to know."""
        return accepts(self.port) and accepts(self.mutual_port)
