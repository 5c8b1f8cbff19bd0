package dev.millrace.internal.offset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.NavigableSet;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompletedAheadTest {
  private static final TopicPartition NAME = new TopicPartition("orders", 3);
  private static final long COMMITTED = 1_000_000_007L;

  @Test
  void nothingDoneNeedsNoText() {
    assertThat(save(CompletedAhead.NONE).text()).isEmpty();
    assertThat(save(CompletedAhead.NONE).end()).isEqualTo(Long.MAX_VALUE);
  }

  /** Every offset that is read was written; all that was written below the reported end is read. */
  @ParameterizedTest
  @ValueSource(ints = {0, 20, 60, 300, 1_000, CompletedAhead.MAX_CHARS})
  void whatIsReadIsWhatFitted(int maxChars) {
    Random random = new Random(maxChars);
    for (int round = 0; round < 300; round++) {
      NavigableSet<Long> done = randomOffsets(random);
      CompletedAhead written =
          new CompletedAhead(COMMITTED, ranges(done), random.nextInt(1_000) - 1);

      CompletedAhead.Saved saved = written.save(NAME, maxChars);

      assertThat(saved.text().length()).isLessThanOrEqualTo(maxChars);
      OffsetRanges read = read(saved.text(), COMMITTED).done();
      for (long offset = COMMITTED; offset <= done.last() + 8; offset++) {
        if (offset < saved.end()) {
          assertThat(read.contains(offset))
              .as("round %d, %d", round, offset)
              .isEqualTo(done.contains(offset));
        } else if (read.contains(offset)) {
          assertThat(done).as("round %d", round).contains(offset);
        }
      }
      if (!saved.text().isEmpty()) {
        assertThat(read(saved.text(), COMMITTED).epoch()).isEqualTo(written.epoch());
      }
    }
  }

  @Test
  void otherPeoplesMetadataSaysNothing() {
    for (String text : new String[] {"", "user text", "{\"node\":1}", "mr2.AAAA"}) {
      assertThat(CompletedAhead.read(NAME, new OffsetAndMetadata(5, text)))
          .as(text)
          .contains(CompletedAhead.NONE);
    }
  }

  @Test
  void anyChangeOfTheTextIsNoticed() {
    Random random = new Random(4);
    String text = save(new CompletedAhead(COMMITTED, ranges(randomOffsets(random)), 9)).text();
    for (int at = 4; at < text.length(); at++) {
      char other = text.charAt(at) == 'A' ? 'w' : 'A';
      String broken = text.substring(0, at) + other + text.substring(at + 1);
      assertThat(CompletedAhead.read(NAME, new OffsetAndMetadata(COMMITTED, broken)))
          .as("changed at %d", at)
          .isEmpty();
      assertThat(CompletedAhead.read(NAME, new OffsetAndMetadata(COMMITTED, text.substring(0, at))))
          .as("cut at %d", at)
          .isEmpty();
    }
  }

  @Test
  void aTextCarriedToAnotherPlaceIsNotTrusted() {
    String text = save(new CompletedAhead(COMMITTED, ranges(Set.of(COMMITTED + 5)), 1)).text();

    assertThat(CompletedAhead.read(NAME, new OffsetAndMetadata(COMMITTED, text))).isPresent();
    assertThat(CompletedAhead.read(NAME, new OffsetAndMetadata(COMMITTED - 1, text))).isEmpty();
    assertThat(
            CompletedAhead.read(
                new TopicPartition("orders", 4), new OffsetAndMetadata(COMMITTED, text)))
        .isEmpty();
    assertThat(
            CompletedAhead.read(
                new TopicPartition("invoices", 3), new OffsetAndMetadata(COMMITTED, text)))
        .isEmpty();
  }

  @Test
  void theUsualPatternsFit() {
    Random random = new Random(1);
    String table =
        "%-34s %8s %8s%n".formatted("20,000 records, done:", "chars", "complete")
            + row("all but the first (one is stuck)", 20_000, offset -> offset > 0)
            + row(
                "all but 64 of the last 1,000",
                20_000,
                o -> o < 19_000 || random.nextInt(1_000) >= 64)
            + row("every second", 20_000, offset -> offset % 2 == 1)
            + row("half of them at random", 20_000, offset -> random.nextBoolean())
            + row("1 in 100 at random", 20_000, offset -> random.nextInt(100) == 0);
    System.out.print(table);
    assertThat(table.lines().skip(1)).hasSize(5).allMatch(line -> line.endsWith("true"));
  }

  private static String row(String pattern, int records, LongPredicate done) {
    OffsetRanges.Builder ranges = new OffsetRanges.Builder();
    LongStream.range(0, records)
        .filter(done)
        .forEach(offset -> ranges.add(COMMITTED + offset, COMMITTED + offset + 1));
    CompletedAhead.Saved saved = save(new CompletedAhead(COMMITTED, ranges.build(), 12));
    return "%-34s %8d %8b%n"
        .formatted(pattern, saved.text().length(), saved.end() == Long.MAX_VALUE);
  }

  private static CompletedAhead.Saved save(CompletedAhead ahead) {
    return ahead.save(NAME, CompletedAhead.MAX_CHARS);
  }

  private static CompletedAhead read(String text, long committed) {
    return CompletedAhead.read(NAME, new OffsetAndMetadata(committed, text)).orElseThrow();
  }

  /** Long and short runs, dense and sparse, at least one offset. */
  private static NavigableSet<Long> randomOffsets(Random random) {
    NavigableSet<Long> offsets = new TreeSet<>();
    long at = COMMITTED + random.nextInt(100);
    int runs = 1 + random.nextInt(60);
    int longest = 1 + random.nextInt(random.nextInt(10) == 0 ? 1_000 : 5);
    for (int run = 0; run < runs; run++) {
      int length = 1 + random.nextInt(longest);
      for (int i = 0; i < length; i++) {
        offsets.add(at++);
      }
      at += 1 + random.nextInt(longest);
    }
    return offsets;
  }

  private static OffsetRanges ranges(Set<Long> offsets) {
    OffsetRanges.Builder ranges = new OffsetRanges.Builder();
    offsets.forEach(offset -> ranges.add(offset, offset + 1));
    return ranges.build();
  }
}
