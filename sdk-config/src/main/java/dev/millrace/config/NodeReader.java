package dev.millrace.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.millrace.config.Node.Broken;
import dev.millrace.config.Node.Field;
import dev.millrace.config.Node.Items;
import dev.millrace.config.Node.Nothing;
import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Step 1: text → located nodes. Reads what stands below the top-level key {@code kafka}; other
 * top-level keys belong to other programs and are skipped.
 */
final class NodeReader {
  private static final String ROOT = "kafka";
  private static final int MOST_VALUES = 50_000;
  private static final StreamReadConstraints LIMITS =
      StreamReadConstraints.builder().maxNestingDepth(64).build();
  private static final JsonFactory JSON =
      JsonFactory.builder().streamReadConstraints(LIMITS).build();
  private static final JsonFactory YAML =
      YAMLFactory.builder()
          .enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL)
          .streamReadConstraints(LIMITS)
          .build();

  private final JsonParser parser;
  private final String source;
  private final Problems problems;
  private int values;

  private NodeReader(JsonParser parser, String source, Problems problems) {
    this.parser = parser;
    this.source = source;
    this.problems = problems;
  }

  /** What stands below {@code kafka}, or null after reporting why there is nothing. */
  static @Nullable Node read(Source source, Problems problems) {
    if (hasControlCharacter(source, problems)) {
      return null;
    }
    JsonFactory format = source.isJson() ? JSON : YAML;
    try (JsonParser parser = format.createParser(source.text())) {
      return new NodeReader(parser, source.name(), problems).read(source.text());
    } catch (IOException | RuntimeException e) {
      // Neither parser promises to throw nothing else, whatever the bytes.
      problems.add(
          SourceLocation.wholeFile(source.name()), "is not readable as YAML or JSON", null);
      return null;
    }
  }

  private @Nullable Node read(String text) throws IOException {
    try {
      return document();
    } catch (JsonProcessingException e) {
      SyntaxError error = SyntaxError.of(e, text);
      problems.add(location(error.line(), error.column()), error.message(), error.hint());
      return null;
    }
  }

  /** Checked here because the parsers do not say where it stands. */
  private static boolean hasControlCharacter(Source source, Problems problems) {
    int line = 1;
    int lineStart = 0;
    for (int i = 0; i < source.text().length(); i++) {
      char c = source.text().charAt(i);
      if (c == '\n') {
        line++;
        lineStart = i + 1;
      } else if (c < ' ' && c != '\t' && c != '\r') {
        problems.add(
            new SourceLocation(source.name(), line, i - lineStart + 1),
            "a control character (" + Display.cut(String.valueOf(c)) + ")",
            "is this a text file?");
        return true;
      }
    }
    return false;
  }

  private @Nullable Node document() throws IOException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      problems.add(
          SourceLocation.wholeFile(source),
          "the file is empty",
          "it needs the top-level key 'kafka'");
      return null;
    }
    if (first != JsonToken.START_OBJECT) {
      String found = first == JsonToken.START_ARRAY ? "a list" : "a single value";
      problems.add(here(), "expected an object with the key 'kafka', found " + found, null);
      return null;
    }
    SourceLocation start = here();
    Map<String, SourceLocation> others = new LinkedHashMap<>();
    Field root = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      Place key = Place.root(here());
      parser.nextToken();
      if (!Spelling.folded(name).equals(ROOT)) {
        parser.skipChildren();
        others.put(name, key.location());
      } else if (root == null) {
        root = new Field(key, value(key));
      } else {
        parser.skipChildren();
        reportTwice(key, root.key());
      }
    }
    if (parser.nextToken() != null) {
      problems.add(here(), "more text after the end of the document", null);
    }
    if (root == null) {
      reportNoRoot(start, others);
    }
    return root == null ? null : root.value();
  }

  private void reportNoRoot(SourceLocation start, Map<String, SourceLocation> others) {
    String message = "the top-level key 'kafka' is missing";
    Optional<String> near = NearestNames.suggest(ROOT, others.keySet());
    if (near.isPresent()) {
      SourceLocation there = others.getOrDefault(near.get(), start);
      problems.add(there, message, "is " + Display.quoted(near.get()) + " meant to be it?");
      return;
    }
    boolean rootLeftOut = others.keySet().stream().anyMatch(Shape.ROOT::knows);
    problems.add(
        start, message, rootLeftOut ? "write 'kafka:' above all and indent the rest" : null);
  }

  private Node value(Place place) throws IOException {
    count();
    if (parser instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
      problems.add(
          place, "YAML aliases are not supported", "what entries share goes under 'defaults'");
      return new Broken(place);
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> table(place);
      case START_ARRAY -> items(place);
      case VALUE_NULL -> new Nothing(place);
      case VALUE_STRING -> new Text(place.movedTo(here()), parser.getText(), null, false);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE ->
          new Text(place.movedTo(here()), parser.getText(), null, true);
      default -> {
        problems.add(place, "a value of this YAML type is not supported", null);
        yield new Broken(place);
      }
    };
  }

  private Table table(Place place) throws IOException {
    Map<String, Field> fields = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      Place key = place.key(name, here());
      parser.nextToken();
      Field first = fields.get(name);
      if (first == null) {
        fields.put(name, new Field(key, value(key)));
      } else {
        count();
        parser.skipChildren();
        reportTwice(key, first.key());
      }
    }
    return new Table(place, fields);
  }

  private Items items(Place place) throws IOException {
    List<Node> nodes = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      nodes.add(value(place.item(nodes.size(), here())));
    }
    return new Items(place, nodes);
  }

  private void reportTwice(Place second, Place first) {
    problems.add(second, "is written twice, first in " + first.lineSeenFrom(second), null);
  }

  private void count() throws IOException {
    if (++values > MOST_VALUES) {
      throw new StreamConstraintsException("more than " + MOST_VALUES + " values");
    }
  }

  private SourceLocation here() {
    return location(0, 0);
  }

  /** The parser's own position where none is given. */
  private SourceLocation location(int line, int column) {
    if (line > 0) {
      return new SourceLocation(source, line, Math.max(1, column));
    }
    JsonLocation token = parser.currentTokenLocation();
    return token.getLineNr() < 1
        ? SourceLocation.wholeFile(source)
        : new SourceLocation(source, token.getLineNr(), Math.max(1, token.getColumnNr()));
  }
}
