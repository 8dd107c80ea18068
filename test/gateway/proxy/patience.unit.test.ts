import test from 'ava'
import { POLL_INTERVAL_MS } from '../../../gateway/proxy/replica.ts'
import { UNRESPONSIVE_REPEAT_MS } from '../../../gateway/proxy/unresponsive.ts'
import { FRESH_MS, READING_MAX_MS } from '../../../shared/log/fence.ts'

/** How late a poll of a replica that is awake may be answered, at least, before anything is done that was asked elsewhere. */
const LATE_MS = 300

test('what is asked of another replica is not begun any more by the one that is unresponsive', (t) => {
  t.true(READING_MAX_MS + FRESH_MS + POLL_INTERVAL_MS + LATE_MS < UNRESPONSIVE_REPEAT_MS)
})
