/**
 * How entries travel.
 *
 *   read payment order [n]        payment applies what it has not read of order's log, or n entries of it
 *   settle                        everybody reads everything, until nothing is emitted any more
 *   reread payment order n        a reader that is behind applies the last n once more
 *   rewind payment order n        the cursor goes back by n
 *   re-emit order s1              what was emitted of a saga last is emitted once more
 *   part order payment            neither reaches the other's log
 *   reunite order payment
 *   emit payment <kind> <text>    an entry as no service should write it
 */
import { logKey } from '../../../shared/log/entry.ts'
import { type Command, participantOf, type Scene, settle } from './scene.ts'

export const reading = (scene: Scene): Readonly<Record<string, Command>> => {
  const { services, parted, print, tell } = scene
  const both = (one = '', other = ''): readonly string[] => [`${one} ${other}`, `${other} ${one}`]
  return {
    read: async ({ args: [subscriber, publisher, count] }) => {
      await scene.read(
        participantOf(subscriber),
        participantOf(publisher),
        count === undefined ? undefined : Number(count),
      )
    },
    settle: () => settle(scene),
    reread: async ({ args: [subscriber, publisher, count] }) => {
      const [to, from] = [participantOf(subscriber), participantOf(publisher)]
      const { before, entries } = await services.applied(to, from, Number(count))
      await scene.apply(to, from, entries, before)
    },
    rewind: async ({ args: [subscriber, publisher, count] }) => {
      const [to, from] = [participantOf(subscriber), participantOf(publisher)]
      const { before } = await services.applied(to, from, Number(count))
      await services.redis[to].hset('cursors', from, before)
    },
    're-emit': async ({ args: [participant, saga = ''] }) => {
      const [result] = await services.logs[participantOf(participant)].run('tell-again', { log_id: saga })
      print(result)
      await tell()
    },
    part: async ({ args: [one, other] }) => {
      for (const pair of both(one, other)) parted.add(pair)
    },
    reunite: async ({ args: [one, other] }) => {
      for (const pair of both(one, other)) parted.delete(pair)
    },
    emit: async ({ args: [participant, kind = '', ...text] }) => {
      const publisher = participantOf(participant)
      await services.redis[publisher].xadd(logKey(publisher), '*', kind, text.join(' '))
      await tell()
    },
  }
}
