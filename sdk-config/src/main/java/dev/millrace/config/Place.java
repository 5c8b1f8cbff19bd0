package dev.millrace.config;

import org.jspecify.annotations.Nullable;

/**
 * Where a node stands: its location, and the keys that lead to it. Linked to its parent instead of
 * holding its path as text, because most paths are never shown.
 */
record Place(@Nullable Place parent, String segment, SourceLocation location) {

  static Place root(SourceLocation location) {
    return new Place(null, "kafka", location);
  }

  Place key(String name, SourceLocation at) {
    return new Place(this, name, at);
  }

  Place item(int index, SourceLocation at) {
    return new Place(this, "[" + index + "]", at);
  }

  Place movedTo(SourceLocation at) {
    return new Place(parent, segment, at);
  }

  /** The keys below the root, joined by dots; the root's own name for the root. */
  String path() {
    String own = Display.cut(segment);
    if (parent == null || parent.parent == null) {
      return own;
    }
    return own.startsWith("[") ? parent.path() + own : parent.path() + "." + own;
  }

  /** Whether it stands among the {@code defaults}, so that an entry has only inherited it. */
  boolean isDefault() {
    Place top = this;
    while (top.parent != null && top.parent.parent != null) {
      top = top.parent;
    }
    return Spelling.folded(top.segment).equals("defaults");
  }

  /** Names this place's line to someone who reads about another place. */
  String lineSeenFrom(Place other) {
    return location.source().equals(other.location.source())
        ? "line " + location.line()
        : location.source() + ":" + location.line();
  }
}
