package dev.millrace.config;

import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Part of step 5: the names under {@code properties}, where they are written, and the classes that
 * their values name.
 */
final class SettingNames {
  private final @Nullable ClientSettingNames known;
  private final Problems problems;

  SettingNames(@Nullable ClientSettingNames known, Problems problems) {
    this.known = known;
    this.problems = problems;
  }

  void check(Table root) {
    Set<String> producer = known == null ? Set.of() : known.producer();
    Set<String> consumer = known == null ? Set.of() : known.consumer();
    checkCommon(root.table("common").table("properties"), producer, consumer);
    checkKind(root, "producers", producer);
    checkKind(root, "consumers", consumer);
  }

  private void checkKind(Table root, String kind, Set<String> names) {
    checkClient(root.table("defaults").table(kind).table("properties"), kind, names);
    root.table(kind)
        .fields()
        .values()
        .forEach(
            field -> {
              if (field.value() instanceof Table entry) {
                checkClient(entry.table("properties"), kind, names);
              }
            });
  }

  private void checkClient(Table settings, String kind, Set<String> names) {
    settings
        .fields()
        .forEach(
            (name, field) -> {
              if (isFree(name, field.key()) && !names.contains(name)) {
                problems.add(
                    field.key(), "is not a setting of Kafka's " + kind, suggestion(name, names));
              }
              requireClasses(name, field.value());
            });
  }

  private void checkCommon(Table settings, Set<String> producer, Set<String> consumer) {
    Set<String> both = new HashSet<>(producer);
    both.retainAll(consumer);
    settings
        .fields()
        .forEach(
            (name, field) -> {
              requireClasses(name, field.value());
              if (!isFree(name, field.key()) || both.contains(name)) {
                return;
              }
              if (producer.contains(name)) {
                refuseOneSided(field.key(), "producers");
              } else if (consumer.contains(name)) {
                refuseOneSided(field.key(), "consumers");
              } else {
                problems.add(
                    field.key(), "is not a setting of Kafka's clients", suggestion(name, both));
              }
            });
  }

  private void requireClasses(String name, Node value) {
    if (known == null || !known.classes().contains(name) || !(value instanceof Text text)) {
      return;
    }
    for (String className : text.text().split(",", -1)) {
      if (!className.isBlank() && Classpath.find(className.strip()).isEmpty()) {
        problems.add(
            text.place(),
            (text.hidden() ? text.shown() : Display.quoted(className.strip()))
                + " is no class on the classpath",
            Classpath.HINT);
      }
    }
  }

  private void refuseOneSided(Place place, String kind) {
    problems.add(
        place,
        "is a setting of " + kind + " only",
        "write it under 'defaults." + kind + ".properties'");
  }

  /** Whether the name is not reserved; and nothing more is to be said where no names are known. */
  private boolean isFree(String name, Place place) {
    String instead = ClientSettingRules.RESERVED.get(name);
    if (instead != null) {
      problems.add(place, "is set by Millrace", instead);
    }
    return instead == null && known != null;
  }

  private @Nullable String suggestion(String name, Set<String> names) {
    Optional<String> near = problems.full() ? Optional.empty() : NearestNames.suggest(name, names);
    return near.map(it -> "did you mean '" + it + "'?").orElse(null);
  }
}
