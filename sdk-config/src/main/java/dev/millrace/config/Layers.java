package dev.millrace.config;

import dev.millrace.config.Node.Field;
import dev.millrace.config.Node.Items;
import dev.millrace.config.Node.Table;
import dev.millrace.config.Node.Text;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Step 3: lays files, and then common → defaults → entry, on top of each other. Objects merge key
 * by key; of scalars and lists the later one stands.
 */
final class Layers {
  private static final int MOST_VALUES = 200_000;
  private static final int CHARACTERS_PER_VALUE = 256;
  private static final Set<String> FLOWING_FROM_COMMON = Set.of("bootstrap-servers", "properties");

  private Layers() {}

  static Table merge(Table earlier, Table later) {
    Map<String, Field> merged = new LinkedHashMap<>(earlier.fields());
    later.fields().forEach((name, field) -> merged.merge(name, field, Layers::merge));
    return new Table(later.place(), merged);
  }

  private static Field merge(Field earlier, Field later) {
    return earlier.value() instanceof Table below && later.value() instanceof Table above
        ? new Field(later.key(), merge(below, above))
        : later;
  }

  /** What every entry of this kind ({@code producers}, {@code consumers}) starts with. */
  static Table base(Table root, String kind) {
    Table common = root.table("common");
    Map<String, Field> flowing = new LinkedHashMap<>(common.fields());
    flowing.keySet().retainAll(FLOWING_FROM_COMMON);
    return merge(new Table(common.place(), flowing), root.table("defaults").table(kind));
  }

  /** The entries of this kind, complete. */
  static Map<String, Table> entries(Table root, String kind) {
    Table base = base(root, kind);
    Map<String, Table> entries = new LinkedHashMap<>();
    root.table(kind)
        .fields()
        .forEach(
            (name, field) -> {
              if (field.value() instanceof Table entry) {
                entries.put(name, merge(base, entry));
              }
            });
    return entries;
  }

  /** Whether a small file would grow huge because very many entries share very much. */
  static boolean growTooLarge(Table root) {
    return grown(root, "producers") + grown(root, "consumers") > MOST_VALUES;
  }

  private static long grown(Table root, String kind) {
    return (long) root.table(kind).fields().size() * size(base(root, kind));
  }

  private static long size(Node node) {
    if (node instanceof Table table) {
      return 1 + table.fields().values().stream().mapToLong(field -> size(field.value())).sum();
    }
    if (node instanceof Items items) {
      return 1 + items.nodes().stream().mapToLong(Layers::size).sum();
    }
    return node instanceof Text text ? 1 + text.text().length() / CHARACTERS_PER_VALUE : 1;
  }
}
