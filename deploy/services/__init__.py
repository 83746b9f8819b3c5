"""Real servers on loopback: Kafka, registry, Redis, Prometheus, Alertmanager.

For tests and trying out. Each gets free ports and a folder of its own, so that runs overlap without
meeting. What is needed from Maven is downloaded once to the user's cache.
"""

from deploy.services.alertmanager import Alertmanager
from deploy.services.kafka import Kafka
from deploy.services.kafka_cluster import KafkaCluster
from deploy.services.process import Service, ServiceError
from deploy.services.prometheus import Prometheus
from deploy.services.redis import Redis
from deploy.services.registry import SchemaRegistryServer
from deploy.services.secure_kafka import SecureKafka
from deploy.services.secure_redis import SecureRedis

__all__ = [
    "Alertmanager",
    "Kafka",
    "KafkaCluster",
    "Prometheus",
    "Redis",
    "SchemaRegistryServer",
    "SecureKafka",
    "SecureRedis",
    "Service",
    "ServiceError",
]
