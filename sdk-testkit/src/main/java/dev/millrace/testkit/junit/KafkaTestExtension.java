package dev.millrace.testkit.junit;

import dev.millrace.testkit.cluster.KafkaCluster;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.opentest4j.TestAbortedException;

/** Hands out what {@link KafkaTest} promises; JUnit's stores keep it and close it in time. */
final class KafkaTestExtension implements ExecutionCondition, BeforeAllCallback, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(KafkaTestExtension.class);

  /** Starts the Kafka here, because only what is disabled shows as skipped in every report. */
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    try {
      KafkaCluster there = kafka(context);
      return ConditionEvaluationResult.enabled("There is a Kafka of kind " + there.kind());
    } catch (TestAbortedException e) {
      return ConditionEvaluationResult.disabled(e.getMessage());
    } catch (RuntimeException e) {
      return ConditionEvaluationResult.enabled("There is no Kafka, which fails the class");
    }
  }

  /** Fails the class once, and not each of its tests, when there is no Kafka. */
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
