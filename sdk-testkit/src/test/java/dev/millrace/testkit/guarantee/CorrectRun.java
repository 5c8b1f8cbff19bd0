package dev.millrace.testkit.guarantee;

import dev.millrace.testkit.history.Kind;
import dev.millrace.testkit.history.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes up what a correct concurrent consumer does, from a seed: members that handle several keys
 * at once, retries, commits of the contiguous frontier, crashes, revocations, losses.
 */
final class CorrectRun {
  static final int PARTITIONS = 3;
  static final int RECORDS = 40;

  /** How many records may lie between the frontier and the last one started, in a partition. */
  static final int WINDOW = 6;

  private static final int KEYS = 4;
  private static final int MEMBERS = 3;

  private final Random random;
  private final Story story = new Story();
  private final List<Member> members = new ArrayList<>();
  private final long[] committed = new long[PARTITIONS];

  private CorrectRun(long seed) {
    random = new Random(seed);
  }

  static Run of(long seed) {
    return new CorrectRun(seed).run();
  }

  private Run run() {
    for (int partition = 0; partition < PARTITIONS; partition++) {
      for (int offset = 0; offset < RECORDS; offset++) {
        story.sent(partition, offset, "k" + random.nextInt(KEYS));
      }
    }
    for (int i = 0; i < MEMBERS; i++) {
      members.add(new Member("c" + i));
    }
    for (int partition = 0; partition < PARTITIONS; partition++) {
      members.get(partition % MEMBERS).assign(partition);
    }
    for (int step = 0; step < 300; step++) {
      step();
    }
    story.fault(Kind.FAULT_HEALED);
    boolean moving = true;
    while (moving) {
      moving = false;
      for (Member member : members) {
        moving |= member.drain();
      }
    }
    members.forEach(member -> story.ends(member.name));
    return new Run(story);
  }

  private void step() {
    Member member = members.get(random.nextInt(MEMBERS));
    int dice = random.nextInt(100);
    if (dice < 45) {
      member.startOne();
    } else if (dice < 85) {
      member.endOne();
    } else if (dice < 95) {
      member.commit();
    } else if (dice < 97) {
      crash(member);
    } else {
      move(member, dice == 97);
    }
  }

  private void crash(Member member) {
    story.fault(Kind.FAULT_BEGAN).fault(Kind.FAULT_HEALED);
    Member again = new Member(member.name);
    members.set(members.indexOf(member), again);
    Set<Integer> orphans = new TreeSet<>(member.owned.keySet());
    orphans.forEach(partition -> members.get(random.nextInt(MEMBERS)).assign(partition));
  }

  private void move(Member member, boolean lost) {
    for (int partition : new TreeSet<>(member.owned.keySet())) {
      if (lost) {
        member.lose(partition);
      } else {
        member.revoke(partition);
      }
      members.get(random.nextInt(MEMBERS)).assign(partition);
    }
  }

  /** What a member knows of a partition since it was assigned. */
  private static final class Owned {
    final Set<Long> started = new HashSet<>();
    final Set<Long> done = new HashSet<>();
    long frontier;
    long committed;
  }

  /** A record whose handler runs; {@code owned} is null when its partition is gone. */
  private static final class Running {
    final int partition;
    final long offset;
    final String key;
    Owned owned;
    int attempt = 1;

    Running(int partition, long offset, String key, Owned owned) {
      this.partition = partition;
      this.offset = offset;
      this.key = key;
      this.owned = owned;
    }
  }

  private final class Member {
    final String name;
    final Map<Integer, Owned> owned = new HashMap<>();
    final List<Running> running = new ArrayList<>();

    Member(String name) {
      this.name = name;
      story.begins(name);
    }

    void assign(int partition) {
      Owned fresh = new Owned();
      fresh.frontier = committed[partition];
      fresh.committed = committed[partition];
      owned.put(partition, fresh);
      story.assigned(name, partition);
    }

    /** Starts the first record that may: within the window, and nothing of its key before it. */
    boolean startOne() {
      for (int partition : new TreeSet<>(owned.keySet())) {
        Owned of = owned.get(partition);
        Set<String> waiting = new HashSet<>();
        running.stream().filter(r -> r.partition == partition).forEach(r -> waiting.add(r.key));
        long end = Math.min(RECORDS, of.committed + WINDOW);
        for (long offset = of.frontier; offset < end; offset++) {
          String key = key(partition, offset);
          if (!of.started.contains(offset) && waiting.add(key)) {
            of.started.add(offset);
            running.add(new Running(partition, offset, key, of));
            story.starts(name, partition, offset);
            return true;
          }
        }
      }
      return false;
    }

    boolean endOne() {
      if (running.isEmpty()) {
        return false;
      }
      end(running.get(random.nextInt(running.size())));
      return true;
    }

    void end(Running record) {
      if (record.owned != null && record.attempt == 1 && random.nextInt(10) == 0) {
        story.ended(name, record.partition, record.offset, 1, Outcome.FAILED);
        record.attempt = 2;
        story.starts(name, record.partition, record.offset, 2);
        return;
      }
      Outcome outcome = random.nextInt(10) == 0 ? Outcome.DEAD_LETTERED : Outcome.HANDLED;
      story.ended(name, record.partition, record.offset, record.attempt, outcome);
      running.remove(record);
      if (record.owned != null) {
        record.owned.done.add(record.offset);
        while (record.owned.done.contains(record.owned.frontier)) {
          record.owned.frontier++;
        }
      }
    }

    boolean commit() {
      boolean any = false;
      for (int partition : new TreeSet<>(owned.keySet())) {
        any |= commit(partition);
      }
      return any;
    }

    boolean commit(int partition) {
      Owned of = owned.get(partition);
      if (of.frontier == of.committed) {
        return false;
      }
      of.committed = of.frontier;
      committed[partition] = of.frontier;
      story.commits(name, partition, of.frontier);
      return true;
    }

    void revoke(int partition) {
      while (running.stream().anyMatch(r -> r.partition == partition)) {
        running.stream().filter(r -> r.partition == partition).findFirst().ifPresent(this::end);
      }
      commit(partition);
      owned.remove(partition);
      story.revoked(name, partition);
    }

    void lose(int partition) {
      owned.remove(partition);
      running.stream().filter(r -> r.partition == partition).forEach(r -> r.owned = null);
      story.lost(name, partition);
    }

    boolean drain() {
      boolean started = startOne();
      boolean ended = endOne();
      return commit() || started || ended;
    }
  }

  private String key(int partition, long offset) {
    return new String(
        story.records.get(partition * RECORDS + (int) offset).key(), StandardCharsets.UTF_8);
  }
}
