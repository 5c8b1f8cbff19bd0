package dev.millrace.config;

import dev.millrace.config.Node.Broken;
import dev.millrace.config.Node.Field;
import dev.millrace.config.Node.Items;
import dev.millrace.config.Node.Nothing;
import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Typed reading of an object's keys. What cannot be read is reported, and its default is returned
 * so that reading goes on; the loader never lets such a result out.
 */
final class Fields {
  private static final int MOST_ITEMS = 1000;
  private static final int LONGEST_SCALAR = 64 * 1024;

  private final Table table;
  private final Problems problems;

  Fields(Table table, Problems problems) {
    this.table = table;
    this.problems = problems;
  }

  <T> T value(String key, T whenAbsent, ScalarType<T> type) {
    T value = optional(key, type);
    return value == null ? whenAbsent : value;
  }

  <T> @Nullable T optional(String key, ScalarType<T> type) {
    Node node = table.get(key);
    return node == null ? null : scalar(node, type);
  }

  /** A list, or text with commas between the items; empty when absent. */
  <T> List<T> list(String key, ScalarType<T> type) {
    Node node = table.get(key);
    if (node == null) {
      return List.of();
    }
    List<T> values = new ArrayList<>();
    for (Node item : items(node)) {
      T value = scalar(item, type);
      if (value != null) {
        values.add(value);
      }
    }
    return values;
  }

  /** Reports each item that stands in the list before. */
  void refuseRepeated(String key) {
    Node list = table.get(key);
    Set<String> seen = new HashSet<>();
    for (Node item : list == null ? List.<Node>of() : items(list)) {
      if (item instanceof Text text && !seen.add(text.text())) {
        problems.add(text.place(), text.shown() + " is already in the list", null);
      }
    }
  }

  /** Names and values as they stand, for Kafka to understand. */
  Map<String, String> settings(String key) {
    Map<String, String> settings = new LinkedHashMap<>();
    table
        .table(key)
        .fields()
        .forEach(
            (name, field) -> {
              String value = setting(field.value());
              if (value != null) {
                settings.put(name, value);
              }
            });
    return settings;
  }

  Fields in(String key) {
    return new Fields(table.table(key), problems);
  }

  boolean has(String key) {
    return table.get(key) != null;
  }

  /** Whether the key is absent or nothing is wrong with its value. */
  boolean isSound(String key) {
    Node node = table.get(key);
    return node == null || problems.noneAt(node.place());
  }

  boolean isEmptyList(String key) {
    return table.get(key) instanceof Items items && items.nodes().isEmpty();
  }

  /** The key's value in the words of a message. */
  String shown(String key) {
    Node node = table.get(key);
    return node == null ? "" : shownBare(node);
  }

  /** Where a key's value stands, or would stand. */
  Place place(String key) {
    Node node = table.get(key);
    return node == null ? table.place().key(key, table.place().location()) : node.place();
  }

  /** The key, its value and its line for a message about another place. */
  String cite(String key, String whenAbsent, Place seenFrom) {
    Field field = table.fields().get(key);
    return field == null
        ? key + " " + whenAbsent + " (the default)"
        : key
            + " "
            + shownBare(field.value())
            + " ("
            + field.value().place().lineSeenFrom(seenFrom)
            + ")";
  }

  private static String shownBare(Node node) {
    return node instanceof Text text && !text.hidden() ? Display.cut(text.text()) : node.shown();
  }

  private List<Node> items(Node node) {
    List<Node> items =
        node instanceof Items list
            ? list.nodes()
            : node instanceof Text text ? split(text) : List.of(node);
    if (items.size() > MOST_ITEMS) {
      problems.add(node.place(), "has more than " + MOST_ITEMS + " items", null);
      return List.of();
    }
    return items;
  }

  private static List<Node> split(Text text) {
    List<Node> parts = new ArrayList<>();
    for (String part : text.text().split(",", MOST_ITEMS + 1)) {
      parts.add(new Text(text.place(), part.strip(), text.written(), text.bare()));
    }
    return parts;
  }

  private <T> @Nullable T scalar(Node node, ScalarType<T> type) {
    if (node instanceof Broken) {
      return null;
    }
    if (node instanceof Text text && text.text().length() <= LONGEST_SCALAR) {
      T value = type.parse().apply(text.text()).orElse(null);
      if (value != null) {
        return value;
      }
    }
    problems.add(
        node.place(),
        "expected " + type.expected() + ", found " + node.shown(),
        problems.full() ? null : hint(node, type));
    return null;
  }

  private static @Nullable String hint(Node node, ScalarType<?> type) {
    if (!(node instanceof Text text)) {
      return null;
    }
    return text.hidden()
        ? "look at what the placeholder is set to"
        : type.hint().apply(Display.cut(text.text())).orElse(null);
  }

  private @Nullable String setting(Node node) {
    if (node instanceof Text text) {
      return text.text();
    }
    if (node instanceof Items) {
      problems.add(node.place(), "expected text, found a list", "separate the items by commas");
    } else if (node instanceof Table) {
      problems.add(
          node.place(), "expected text, found an object", "write names in full, with their dots");
    } else if (node instanceof Nothing) {
      problems.add(node.place(), "has no value", "write '' for empty text");
    }
    return null;
  }
}
