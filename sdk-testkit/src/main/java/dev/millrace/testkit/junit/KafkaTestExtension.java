package dev.millrace.testkit.junit;

import dev.millrace.testkit.cluster.KafkaCluster;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Hands out what {@link KafkaTest} promises; JUnit's stores keep it and close it in time. */
final class KafkaTestExtension implements BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(KafkaTestExtension.class);

  /**
   * Starts the Kafka here and not for the first parameter, because only here can a class be skipped
   * instead of failed.
   */
  @Override
  public void beforeAll(ExtensionContext context) {
    kafka(context);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == KafkaCluster.class || type == TestTopics.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == KafkaCluster.class
        ? kafka(context)
        : topics(context);
  }

  /** A constructor's parameters belong to the test it makes the instance for. */
  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  private static KafkaCluster kafka(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .computeIfAbsent(
            SharedKafka.class,
            key -> SharedKafka.start(context::getConfigurationParameter),
            SharedKafka.class)
        .outcome()
        .get();
  }

  private static TestTopics topics(ExtensionContext context) {
    // A store also finds what an outer one holds under the key; the id keeps a test's topics its
    // own.
    return context
        .getStore(NAMESPACE)
        .computeIfAbsent(
            context.getUniqueId(), key -> new TestTopics(kafka(context)), TestTopics.class);
  }
}
