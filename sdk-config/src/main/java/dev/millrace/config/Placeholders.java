package dev.millrace.config;

import dev.millrace.config.Node.Broken;
import dev.millrace.config.Node.Field;
import dev.millrace.config.Node.Items;
import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Step 2: fills <code>${NAME}</code>, <code>${NAME:default}</code> and <code>${file:path}</code>
 * into values (never into keys), and turns <code>$${</code> into <code>${</code>. What was filled
 * in is not looked at again.
 */
final class Placeholders {
  private static final String FILE = "file:";

  private final Map<String, String> environment;
  private final Path folder;
  private final Problems problems;
  private int charactersLeft = TextFile.MOST_BYTES;

  Placeholders(Map<String, String> environment, Path folder, Problems problems) {
    this.environment = environment;
    this.folder = folder;
    this.problems = problems;
  }

  Node fill(Node node) {
    if (node instanceof Table table) {
      Map<String, Field> filled = new LinkedHashMap<>();
      table
          .fields()
          .forEach((name, field) -> filled.put(name, new Field(field.key(), fill(field.value()))));
      return new Table(table.place(), filled);
    }
    if (node instanceof Items items) {
      return new Items(items.place(), items.nodes().stream().map(this::fill).toList());
    }
    return node instanceof Text text && text.text().contains("${") ? fillText(text) : node;
  }

  private Node fillText(Text node) {
    String text = node.text();
    StringBuilder filled = new StringBuilder();
    boolean broken = false;
    boolean substituted = false;
    int at = 0;
    for (int open = text.indexOf("${"); open >= 0; open = text.indexOf("${", at)) {
      if (open > at && text.charAt(open - 1) == '$') {
        filled.append(text, at, open - 1).append("${");
        at = open + 2;
        continue;
      }
      int close = text.indexOf('}', open);
      if (close < 0) {
        problems.add(node.place(), "'${' without '}'", "write $${ for a plain ${");
        return new Broken(node.place());
      }
      String value = value(text.substring(open + 2, close), node.place());
      broken |= value == null;
      substituted = true;
      filled.append(text, at, open).append(value);
      at = close + 1;
    }
    if (broken) {
      return new Broken(node.place());
    }
    String result = filled.append(text, at, text.length()).toString();
    return substituted ? node.filledWith(result) : new Text(node.place(), result, null, false);
  }

  /** What a placeholder stands for, or null after reporting why there is nothing. */
  private @Nullable String value(String inside, Place place) {
    if (charactersLeft < 0) {
      problems.add(place, "the placeholders' values are larger than 1 MiB together", null);
      return null;
    }
    String value = inside.startsWith(FILE) ? file(inside, place) : variable(inside, place);
    charactersLeft -= value == null ? 0 : value.length();
    return value;
  }

  private @Nullable String variable(String inside, Place place) {
    int colon = inside.indexOf(':');
    String name = colon < 0 ? inside : inside.substring(0, colon);
    if (name.isBlank()) {
      problems.add(place, "a placeholder without a name", "write ${NAME} or ${NAME:default}");
      return null;
    }
    if (inside.contains("${")) {
      problems.add(place, "a placeholder inside a placeholder is not supported", null);
      return null;
    }
    String value = environment.get(name);
    if (value != null) {
      return value;
    }
    if (colon < 0) {
      problems.add(
          place,
          Display.quoted("${" + name + "}") + " is not defined",
          "define it, or write ${" + Display.cut(name) + ":default}");
      return null;
    }
    return inside.substring(colon + 1);
  }

  private @Nullable String file(String inside, Place place) {
    String path = inside.substring(FILE.length());
    try {
      if (path.isBlank()) {
        throw new IOException("has no name");
      }
      return withoutLineEnd(TextFile.read(folder.resolve(path)));
    } catch (IOException e) {
      problems.add(place, "the file of " + shown(inside) + " " + Source.reason(e), null);
    } catch (InvalidPathException e) {
      problems.add(place, "the file of " + shown(inside) + " is not a path", null);
    }
    return null;
  }

  private static String shown(String inside) {
    return Display.quoted("${" + inside + "}");
  }

  private static String withoutLineEnd(String text) {
    int end = text.length();
    if (end > 0 && text.charAt(end - 1) == '\n') {
      end--;
    }
    if (end > 0 && end < text.length() && text.charAt(end - 1) == '\r') {
      end--;
    }
    return text.substring(0, end);
  }
}
