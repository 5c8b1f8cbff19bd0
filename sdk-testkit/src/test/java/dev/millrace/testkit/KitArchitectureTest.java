package dev.millrace.testkit;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.Architectures;

/** The order of the kit's packages; docs/DESIGN.md shows the same. */
@AnalyzeClasses(
    packages = "dev.millrace.testkit",
    importOptions = ImportOption.DoNotIncludeTests.class)
final class KitArchitectureTest {

  @ArchTest
  static final ArchRule EACH_PACKAGE_USES_ONLY_THOSE_BELOW =
      Architectures.layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("dev.millrace..")
          .layer("junit")
          .definedBy("dev.millrace.testkit.junit")
          .layer("fault")
          .definedBy("dev.millrace.testkit.fault")
          .layer("guarantee")
          .definedBy("dev.millrace.testkit.guarantee")
          .layer("worker")
          .definedBy("dev.millrace.testkit.worker")
          .layer("probe")
          .definedBy("dev.millrace.testkit.probe")
          .layer("cluster")
          .definedBy("dev.millrace.testkit.cluster")
          .layer("proxy")
          .definedBy("dev.millrace.testkit.proxy")
          .layer("history")
          .definedBy("dev.millrace.testkit.history")
          .layer("internal")
          .definedBy("dev.millrace.testkit.internal")
          .layer("root")
          .definedBy("dev.millrace.testkit")
          .ensureAllClassesAreContainedInArchitecture()
          .whereLayer("junit")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("fault")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("guarantee")
          .mayOnlyBeAccessedByLayers("fault")
          .whereLayer("worker")
          .mayOnlyBeAccessedByLayers("fault")
          .whereLayer("probe")
          .mayOnlyBeAccessedByLayers("guarantee")
          .whereLayer("cluster")
          .mayOnlyBeAccessedByLayers("junit")
          .whereLayer("proxy")
          .mayOnlyBeAccessedByLayers("cluster")
          .whereLayer("history")
          .mayOnlyBeAccessedByLayers("guarantee")
          .whereLayer("root")
          .mayNotAccessAnyLayer();

  /** Users prove their own consumers with the kit, and the SDK itself stands on it. */
  @ArchTest
  static final ArchRule THE_KIT_KNOWS_NOTHING_OF_THE_SDK =
      ArchRuleDefinition.noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.millrace",
              "dev.millrace.config..",
              "dev.millrace.consumer..",
              "dev.millrace.producer..",
              "dev.millrace.internal..");
}
