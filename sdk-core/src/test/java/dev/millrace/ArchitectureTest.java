package dev.millrace;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.Architectures;

/** The order of the packages: each may use only those below it. docs/DESIGN.md shows the same. */
@AnalyzeClasses(packages = "dev.millrace", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

  @ArchTest
  static final ArchRule EACH_PACKAGE_USES_ONLY_THOSE_BELOW =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.millrace..")
          .layer("factory")
          .definedBy("dev.millrace")
          .layer("testing")
          .definedBy("dev.millrace.testing")
          .layer("internal.deadletter")
          .definedBy("dev.millrace.internal.deadletter")
          .layer("internal.consumer")
          .definedBy("dev.millrace.internal.consumer")
          .layer("internal.command")
          .definedBy("dev.millrace.internal.command")
          .layer("internal.listener")
          .definedBy("dev.millrace.internal.listener")
          .layer("internal.runtime")
          .definedBy("dev.millrace.internal.runtime")
          .layer("internal.keys")
          .definedBy("dev.millrace.internal.keys")
          .layer("internal.delivery")
          .definedBy("dev.millrace.internal.delivery")
          .layer("internal.start")
          .definedBy("dev.millrace.internal.start")
          .layer("internal.channel")
          .definedBy("dev.millrace.internal.channel")
          .layer("internal.transaction")
          .definedBy("dev.millrace.internal.transaction")
          .layer("internal.idempotency")
          .definedBy("dev.millrace.internal.idempotency")
          .layer("internal.offset")
          .definedBy("dev.millrace.internal.offset")
          .layer("internal.time")
          .definedBy("dev.millrace.internal.time")
          .layer("internal.producer")
          .definedBy("dev.millrace.internal.producer")
          .layer("internal.client")
          .definedBy("dev.millrace.internal.client")
          .layer("internal.metrics")
          .definedBy("dev.millrace.internal.metrics")
          .layer("serialization")
          .definedBy("dev.millrace.serialization")
          .layer("idempotency.jdbc")
          .definedBy("dev.millrace.idempotency.jdbc")
          .layer("consumer")
          .definedBy("dev.millrace.consumer")
          .layer("idempotency")
          .definedBy("dev.millrace.idempotency")
          .layer("producer")
          .definedBy("dev.millrace.producer")
          .layer("deadletter")
          .definedBy("dev.millrace.deadletter")
          .layer("errors")
          .definedBy("dev.millrace.errors")
          .layer("config")
          .definedBy("dev.millrace.config..")
          .whereLayer("factory")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("testing")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("internal.deadletter")
          .mayOnlyBeAccessedByLayers("factory")
          .whereLayer("internal.consumer")
          .mayOnlyBeAccessedByLayers("factory", "testing")
          .whereLayer("internal.command")
          .mayOnlyBeAccessedByLayers("internal.consumer")
          .whereLayer("internal.listener")
          .mayOnlyBeAccessedByLayers("internal.consumer")
          .whereLayer("internal.runtime")
          .mayOnlyBeAccessedByLayers("internal.consumer")
          .whereLayer("internal.keys")
          .mayOnlyBeAccessedByLayers("testing", "internal.consumer")
          .whereLayer("internal.delivery")
          .mayOnlyBeAccessedByLayers(
              "testing",
              "internal.deadletter",
              "internal.consumer",
              "internal.runtime",
              "internal.keys")
          .whereLayer("internal.start")
          .mayOnlyBeAccessedByLayers("internal.consumer", "internal.delivery")
          .whereLayer("internal.channel")
          .mayOnlyBeAccessedByLayers(
              "testing",
              "internal.consumer",
              "internal.command",
              "internal.listener",
              "internal.runtime",
              "internal.keys",
              "internal.delivery",
              "internal.start")
          .whereLayer("internal.transaction")
          .mayOnlyBeAccessedByLayers("internal.consumer", "internal.delivery", "internal.channel")
          .whereLayer("internal.idempotency")
          .mayOnlyBeAccessedByLayers("internal.consumer", "internal.delivery")
          .whereLayer("internal.offset")
          .mayOnlyBeAccessedByLayers(
              "internal.deadletter",
              "internal.consumer",
              "internal.delivery",
              "internal.channel",
              "internal.transaction")
          .whereLayer("internal.time")
          .mayOnlyBeAccessedByLayers(
              "factory",
              "testing",
              "internal.deadletter",
              "internal.consumer",
              "internal.listener",
              "internal.runtime",
              "internal.keys",
              "internal.delivery",
              "internal.start",
              "internal.channel",
              "internal.producer")
          .whereLayer("internal.producer")
          .mayOnlyBeAccessedByLayers(
              "factory", "internal.deadletter", "internal.consumer", "internal.transaction")
          .whereLayer("internal.client")
          .mayOnlyBeAccessedByLayers(
              "factory", "testing", "internal.deadletter", "internal.consumer")
          .whereLayer("internal.metrics")
          .mayOnlyBeAccessedByLayers(
              "factory",
              "internal.deadletter",
              "internal.consumer",
              "internal.delivery",
              "internal.start",
              "internal.producer")
          .whereLayer("serialization")
          .mayOnlyBeAccessedByLayers("factory", "testing")
          .whereLayer("idempotency.jdbc")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("consumer")
          .mayOnlyBeAccessedByLayers(
              "factory",
              "testing",
              "idempotency.jdbc",
              "internal.consumer",
              "internal.listener",
              "internal.keys",
              "internal.delivery",
              "internal.start",
              "internal.idempotency")
          .whereLayer("producer")
          .mayOnlyBeAccessedByLayers("factory", "internal.producer")
          .ensureAllClassesAreContainedInArchitectureIgnoring("dev.millrace.testkit..");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices().matching("dev.millrace.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule ONLY_THE_POLL_THREADS_PACKAGE_AND_DEAD_LETTERS_HOLD_A_KAFKA_CONSUMER =
      ArchRuleDefinition.noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.millrace.internal.consumer",
              "dev.millrace.internal.deadletter",
              "dev.millrace.testkit..")
          .should()
          .dependOnClassesThat(
              DescribedPredicate.describe(
                  "are the Kafka consumer",
                  (JavaClass type) -> type.getName().endsWith(".KafkaConsumer")));
}
