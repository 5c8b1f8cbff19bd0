package dev.millrace.config;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map that shows its names and never its values, so that no log line, assertion or
 * exception that prints a definition can print a password.
 */
final class NamesOnlyMap extends AbstractMap<String, String> {
  private final Map<String, String> entries;

  private NamesOnlyMap(Map<String, String> entries) {
    this.entries = Collections.unmodifiableMap(new TreeMap<>(Map.copyOf(entries)));
  }

  static Map<String, String> copyOf(Map<String, String> map) {
    return map instanceof NamesOnlyMap ? map : new NamesOnlyMap(map);
  }

  @Override
  public Set<Entry<String, String>> entrySet() {
    return entries.entrySet();
  }

  @Override
  public @Nullable String get(@Nullable Object key) {
    return key == null ? null : entries.get(key);
  }

  @Override
  public boolean containsKey(@Nullable Object key) {
    return key != null && entries.containsKey(key);
  }

  @Override
  public String toString() {
    return entries.keySet().toString();
  }
}
