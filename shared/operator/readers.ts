/** How does a service keep up with its peers and with itself? */
import type { Memory } from '../health/memory.ts'
import type { Log } from '../log/log.ts'
import type { Reader } from '../log/peers.ts'
import type { LogParser } from '../saga/log-parser.ts'

/** What a process knows of itself besides its log. */
export type Keeping = {
  readonly replica: string
  readonly readers: () => Promise<readonly Reader[]>
  /** What its Redis holds, as it was found last. */
  readonly memory: () => Memory | undefined
}

const readerOf = ({ publisher, isFollowing, cursor, newest, ms, entries, unreachedMs }: Reader) => ({
  speaker: publisher,
  reads: isFollowing,
  cursor,
  newest,
  lag_ms: ms,
  lag_entries: entries,
  unreached_ms: Math.round(unreachedMs),
})

/** @throws UnavailableError */
export const readersOf = async (log: Log, parser: LogParser, { replica, readers, memory }: Keeping) => {
  const [read, entries, newest, lost] = await Promise.all([readers(), log.count(), log.newestId(), log.lostTails()])
  const last = parser.lastRun()
  const seen = memory()
  return {
    service: log.service,
    replica,
    readers: read.map(readerOf),
    log: { entries, newest },
    parser: {
      last_run: last
        ? { at: last.at, took_ms: last.tookMs, found: last.found, repaired: last.repaired, trimmed: last.trimmed }
        : null,
      next_run: parser.nextRuns(1)[0]?.toISOString() ?? null,
    },
    lost_tails: lost.map(({ speaker, noticed, after, until, entries: named }) => ({
      speaker,
      noticed,
      after,
      until,
      named: named.length,
    })),
    memory: { used: seen?.used ?? null, limit: seen?.limit ?? null },
  }
}
