package dev.millrace.testkit.proxy;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one proxy. A request meets one rule at most: the oldest that is for it.
 *
 * <p>Thread-safe.
 */
final class FaultRules {
  private final List<FaultRule> rules = new CopyOnWriteArrayList<>();

  FaultRule add(FaultRule rule) {
    rules.add(rule);
    return rule;
  }

  @Nullable FaultRule claim(RequestHead request) {
    for (FaultRule rule : rules) {
      if (rule.claim(request)) {
        return rule;
      }
    }
    return null;
  }

  List<FaultRule> active() {
    return rules.stream().filter(FaultRule::active).toList();
  }

  /** Ends all rules and releases what they hold. */
  void clear() {
    rules.forEach(FaultRule::release);
    rules.clear();
  }
}
