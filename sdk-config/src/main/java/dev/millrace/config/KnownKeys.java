package dev.millrace.config;

import dev.millrace.config.Node.Broken;
import dev.millrace.config.Node.Field;
import dev.millrace.config.Node.Items;
import dev.millrace.config.Node.Nothing;
import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import dev.millrace.config.Shape.Entries;
import dev.millrace.config.Shape.Keys;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Prepares step 3: gives every key its one spelling and every list of named entries the form of an
 * object, so that files can be merged key by key. Refuses what has no place in the {@link Shape}.
 */
final class KnownKeys {
  private static final String NAME = "name";
  private static final String ENABLED = "enabled";

  private final Problems problems;
  private final @Nullable ClientSettingNames clientSettings;

  KnownKeys(Problems problems, @Nullable ClientSettingNames clientSettings) {
    this.problems = problems;
    this.clientSettings = clientSettings;
  }

  /** The node in the shape's spelling; what does not fit is reported and replaced or left out. */
  Node check(Node node, Shape shape) {
    if (node instanceof Broken) {
      return node;
    }
    if (node instanceof Nothing) {
      return broken(node, "has no value", shape.hintWhenEmpty());
    }
    if (shape == Shape.VALUE) {
      return node;
    }
    if (shape instanceof Entries entries && node instanceof Items items) {
      return named(items, entries.entry());
    }
    if (!(node instanceof Table table)) {
      // Text in the place of settings may well be a password.
      String found = shape == Shape.SETTINGS && node instanceof Text ? "text" : node.shown();
      return broken(node, "expected an object, found " + found, hintForObject(node, shape));
    }
    if (shape instanceof Entries entries) {
      return named(table, entries.entry());
    }
    return shape instanceof Keys keys ? keys(table, keys) : settings(table);
  }

  private Table keys(Table table, Keys shape) {
    Map<String, Field> fields = new LinkedHashMap<>();
    table
        .fields()
        .forEach(
            (written, field) -> {
              Shape.Key key = shape.find(written);
              if (key == null) {
                problems.add(field.key(), "unknown key", hint(written, shape));
              } else {
                put(fields, key.name(), field, check(field.value(), key.shape()));
              }
            });
    return new Table(table.place(), fields);
  }

  private void put(Map<String, Field> fields, String name, Field field, Node value) {
    Field first = fields.putIfAbsent(name, new Field(field.key(), value));
    if (first != null) {
      problems.add(
          field.key(),
          "is the same key as "
              + Display.quoted(first.key().segment())
              + " in "
              + first.key().lineSeenFrom(field.key()),
          "keep one of them");
    }
  }

  private @Nullable String hint(String written, Keys shape) {
    if (problems.full()) {
      return null;
    }
    if (shape.knows("properties") && isClientSetting(written)) {
      return "Kafka's own settings go under 'properties'";
    }
    if (shape.equals(Shape.CONSUMER_DEFAULTS) && Shape.CONSUMER.knows(written)) {
      return "each consumer has its own; write it under 'consumers'";
    }
    return NearestNames.suggest(written, shape.names())
        .map(name -> "did you mean '" + name + "'?")
        .orElseGet(() -> known(shape));
  }

  private static String known(Keys shape) {
    return "known keys: " + names(shape);
  }

  private static String names(Keys shape) {
    return String.join(", ", shape.names());
  }

  /** What to write in the place of a word or a list. */
  private static String hintForObject(Node found, Shape shape) {
    if (shape instanceof Entries) {
      return "write each under its name";
    }
    if (!(shape instanceof Keys keys)) {
      return "write each of Kafka's names with its value";
    }
    // What a placeholder stands for would show in the hint.
    if (!keys.knows(ENABLED) || !(found instanceof Text text) || text.hidden()) {
      return known(keys);
    }
    String key = Display.cut(text.place().segment());
    return ScalarType.BOOLEAN
        .parse()
        .apply(text.text())
        .map(
            on ->
                on
                    ? "write '" + key + ": {}', if need be with its keys: " + names(keys)
                    : "remove it, or write '"
                        + key
                        + ": { enabled: false }' where 'defaults' say it")
        .orElseGet(() -> known(keys));
  }

  private boolean isClientSetting(String name) {
    return name.contains(".")
        || (clientSettings != null
            && (clientSettings.producer().contains(name)
                || clientSettings.consumer().contains(name)));
  }

  private Table settings(Table table) {
    Map<String, Field> fields = new LinkedHashMap<>();
    table
        .fields()
        .forEach(
            (name, field) ->
                fields.put(name, new Field(field.key(), check(field.value(), Shape.VALUE))));
    return new Table(table.place(), fields);
  }

  private Table named(Table table, Keys shape) {
    Map<String, Field> entries = new LinkedHashMap<>();
    table
        .fields()
        .forEach(
            (name, field) -> {
              refuseBlank(name, field.key());
              Node entry = check(field.value(), shape);
              if (entry instanceof Table fields
                  && fields.get(NAME) instanceof Text inner
                  && !inner.text().equals(name)) {
                problems.add(inner.place(), "differs from the key it stands under", "remove it");
              }
              entries.put(name, new Field(field.key(), entry));
            });
    return new Table(table.place(), entries);
  }

  private Table named(Items items, Keys shape) {
    Map<String, Field> entries = new LinkedHashMap<>();
    for (Node item : items.nodes()) {
      if (!(check(item, shape) instanceof Table entry)) {
        continue;
      }
      Node name = entry.get(NAME);
      if (name instanceof Text text) {
        refuseBlank(text.text(), text.place());
        Field first = entries.putIfAbsent(text.text(), new Field(entry.place(), entry));
        if (first != null) {
          problems.add(
              text.place(),
              text.shown()
                  + " is the name of two entries, first in "
                  + first.key().lineSeenFrom(text.place()),
              null);
        }
      } else if (name == null) {
        problems.add(entry.place(), "the entry has no 'name'", null);
      } else if (!(name instanceof Broken)) {
        problems.add(name.place(), "expected a name, found " + name.shown(), null);
      }
    }
    return new Table(items.place(), entries);
  }

  private void refuseBlank(String name, Place place) {
    if (name.isBlank()) {
      problems.add(place, "the name is empty", null);
    }
  }

  private Broken broken(Node node, String message, @Nullable String hint) {
    problems.add(node.place(), message, hint);
    return new Broken(node.place());
  }
}
