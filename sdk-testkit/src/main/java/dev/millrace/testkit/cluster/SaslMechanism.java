package dev.millrace.testkit.cluster;

/** How a user of a {@link KafkaCluster} proves who it is. */
public enum SaslMechanism {
  PLAIN("PLAIN", "org.apache.kafka.common.security.plain.PlainLoginModule"),
  SCRAM_SHA_256("SCRAM-SHA-256", "org.apache.kafka.common.security.scram.ScramLoginModule"),
  SCRAM_SHA_512("SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule");

  private final String kafkaName;
  private final String loginModule;

  SaslMechanism(String kafkaName, String loginModule) {
    this.kafkaName = kafkaName;
    this.loginModule = loginModule;
  }

  /** Returns the name Kafka has for it, as in {@code sasl.mechanism}: "SCRAM-SHA-512". */
  public String kafkaName() {
    return kafkaName;
  }

  String loginModule() {
    return loginModule;
  }
}
