package dev.millrace.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value of a config file that knows where it stands. */
sealed interface Node {

  /** A scalar or list item stands where it begins, anything else where its key does. */
  Place place();

  /** What it is, in the words of a message. */
  String shown();

  /** Keys and values, in the file's order. */
  record Table(Place place, Map<String, Field> fields) implements Node {
    public Table {
      fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    static Table empty(Place place) {
      return new Table(place, Map.of());
    }

    @Nullable Node get(String key) {
      Field field = fields.get(key);
      return field == null ? null : field.value();
    }

    /** The object below a key, or an empty one. */
    Table table(String key) {
      return get(key) instanceof Table table ? table : empty(place.key(key, place.location()));
    }

    @Override
    public String shown() {
      return "an object";
    }
  }

  /** A key's own place and its value. */
  record Field(Place key, Node value) {}

  /** A list. */
  record Items(Place place, List<Node> nodes) implements Node {
    public Items {
      nodes = List.copyOf(nodes);
    }

    @Override
    public String shown() {
      return "a list";
    }
  }

  /**
   * A scalar, kept as text whatever its type in the file.
   *
   * @param written the text before its placeholders were filled; null when it had none
   * @param bare whether the file has it as a number or boolean
   */
  record Text(Place place, String text, @Nullable String written, boolean bare) implements Node {

    Text filledWith(String value) {
      return new Text(place, value, text, false);
    }

    /** Whether it came from a placeholder, so that it may be a secret. */
    boolean hidden() {
      return written != null;
    }

    @Override
    public String shown() {
      if (written != null) {
        return "the value of " + Display.quoted(written);
      }
      return bare ? Display.cut(text) : Display.quoted(text);
    }
  }

  /** A key without a value. */
  record Nothing(Place place) implements Node {
    @Override
    public String shown() {
      return "no value";
    }
  }

  /** Stands for a value whose problem is already reported. */
  record Broken(Place place) implements Node {
    @Override
    public String shown() {
      return "a broken value";
    }
  }
}
