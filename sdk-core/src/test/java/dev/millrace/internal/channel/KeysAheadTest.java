package dev.millrace.internal.channel;

import static dev.millrace.internal.channel.KeysAhead.Next.FOLLOW;
import static dev.millrace.internal.channel.KeysAhead.Next.HANDLE;
import static dev.millrace.internal.channel.KeysAhead.Next.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.LongPredicate;
import org.junit.jupiter.api.Test;

class KeysAheadTest {
  private static final long KEY = 1;
  private static final long OTHER = 2;

  private final KeysAhead keys = new KeysAhead();

  @Test
  void aKeyIsAheadFromItsFirstRecordOnUntilItsLastHasEnded() {
    assertThat(keys.next(KEY)).isEqualTo(HANDLE);
    keys.sent(KEY, 4);
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
    assertThat(keys.next(OTHER)).isEqualTo(HANDLE);
    keys.sent(KEY, 7);

    look(7, 100, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
    look(8, 100, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(HANDLE);
    assertThat(keys.isEmpty()).isTrue();
  }

  @Test
  void itStaysAheadWhileARecordOfItLiesFurtherOn() {
    keys.sent(KEY, 4);
    keys.sent(OTHER, 5);

    for (int look = 0; look < 10; look++) {
      look(6, 6, tag -> tag == KEY);
    }
    assertThat(keys.next(KEY)).as("it may last, so nothing waits for it").isEqualTo(FOLLOW);
    assertThat(keys.next(OTHER)).isEqualTo(HANDLE);
  }

  @Test
  void whatTheTopicHasNoLongerIsNotWaitedFor() {
    keys.sent(KEY, 400);
    keys.sent(OTHER, 2);

    look(2, 3, KeysAheadTest::nothing);
    assertThat(keys.size()).as("the last that is there has not ended").isEqualTo(2);
    look(3, 3, KeysAheadTest::nothing);
    assertThat(keys.isEmpty()).isTrue();
  }

  @Test
  void whereTheBrokerTellsNoOffsetAllThatIsThereIsWaitedFor() {
    keys.sent(KEY, KeysAhead.UNKNOWN);

    look(8, 9, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
    look(9, 9, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(HANDLE);
  }

  @Test
  void anEmptyTopicHoldsNobody() {
    keys.found(KEY, 0);

    look(0, 0, tag -> tag == KEY);
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
    look(0, 0, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(HANDLE);
  }

  @Test
  void aKeyWhoseRecordsKeepComingWaitsAtTheDoorAndComesBack() {
    keys.sent(KEY, 0);
    look(0, 1, KeysAheadTest::nothing);
    keys.sent(KEY, 1);
    look(0, 2, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).as("what was there has not ended").isEqualTo(FOLLOW);
    keys.sent(KEY, 2);
    look(2, 3, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).as("what was there has, and more came").isEqualTo(WAIT);

    look(3, 3, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(HANDLE);
  }

  /** A look takes some round trips, and of a busy key something is acknowledged in each. */
  @Test
  void aKeyOfWhichSomethingIsSentWithinEachLookWaitsAtTheDoorToo() {
    keys.sent(KEY, 0);
    for (int look = 1; keys.next(KEY) == FOLLOW; look++) {
      assertThat(look).isLessThan(10);
      long sentBefore = look;
      keys.beginLook();
      keys.sent(KEY, sentBefore);
      keys.look(sentBefore, sentBefore, KeysAheadTest::nothing);
    }

    assertThat(keys.next(KEY)).isEqualTo(WAIT);
  }

  @Test
  void whatWaitsAtADoorFollowsWhenNobodyCanLook() {
    keys.sent(KEY, 0);
    look(0, 1, KeysAheadTest::nothing);
    keys.sent(KEY, 1);
    look(1, 2, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(WAIT);

    keys.openDoors();

    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
  }

  @Test
  void theDoorOpensAgainWhenWhatIsAheadDoesNotEnd() {
    keys.sent(KEY, 0);
    look(0, 1, KeysAheadTest::nothing);
    keys.sent(KEY, 1);
    look(1, 2, KeysAheadTest::nothing);

    for (int look = 0; look < 3; look++) {
      assertThat(keys.next(KEY)).isEqualTo(WAIT);
      look(1, 2, KeysAheadTest::nothing);
    }
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
  }

  @Test
  void oneThatIsSentDuringALookIsNotTakenOut() {
    keys.sent(KEY, 0);

    look(
        1,
        1,
        tag -> {
          keys.sent(tag, 1);
          return false;
        });
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
  }

  /** The end that it was told of is that before the record. */
  @Test
  void whatIsSentWhileALookGoesOnIsNotTakenForLost() {
    keys.sent(KEY, 0);
    keys.beginLook();
    keys.sent(KEY, 1);
    keys.sent(OTHER, KeysAhead.UNKNOWN);

    keys.look(1, 1, KeysAheadTest::nothing);
    assertThat(keys.next(KEY)).isEqualTo(FOLLOW);
    assertThat(keys.next(OTHER)).isEqualTo(FOLLOW);
    look(2, 2, KeysAheadTest::nothing);
    assertThat(keys.isEmpty()).isTrue();
  }

  private void look(long committed, long end, LongPredicate isFurther) {
    keys.beginLook();
    keys.look(committed, end, isFurther);
  }

  private static boolean nothing(long tag) {
    return false;
  }
}
