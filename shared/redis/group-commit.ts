/**
 * How do commands that are asked for at about the same time share one round trip?
 *
 * As in the group commit of databases (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984):
 * while one group is under way, what is asked for waits and is the next one. The first leaves at the end of the turn of
 * the event loop, so one that is alone waits for none; the busier it gets, the larger the groups and the less each costs.
 * Those after it leave one turn later, so that what has come in by socket while the answers were told goes with them.
 *
 * All of them in one group cost least, but then there is one place at a time where anything is done: in Redis, or in those who
 * ask. Where that costs more, a second group may leave beside the first, if it is large enough: Redis has it at hand when it has
 * answered the other.
 */
import { UnavailableError } from '../errors.ts'

export type GroupOptions<Asked, Done> = {
  /** Asks all of a group; one answer for each question, in their order, or the error of that one. */
  readonly run: (questions: readonly Asked[]) => Promise<readonly (Done | Error)[]>
  /** The most questions of one group. */
  readonly groupMax: number
  /** From how many questions on a second group leaves beside one that is under way; never by default. */
  readonly besideFrom?: number
  /**
   * Of more questions than this only half go in one group, but so many at least: the others may go beside it. By default all go
   * that may.
   */
  readonly halfFrom?: number
  /** One that has no answer after so long fails, the wait to be sent included, and is not sent any more. */
  readonly timeoutMs: number
}

type Waiting<Asked, Done> = {
  readonly question: Asked
  readonly since: number
  readonly resolve: (answer: Done) => void
  readonly reject: (error: unknown) => void
}

type Size = Pick<GroupOptions<unknown, unknown>, 'groupMax' | 'halfFrom'>
/** How many go in one group where so many wait. */
const sizeOf = (waiting: number, { groupMax, halfFrom = groupMax }: Size): number =>
  Math.min(groupMax, Math.max(halfFrom, Math.ceil(waiting / 2)))

/** Asks one question, in a group with others. Rejects with its own error, or that of the whole group. */
export const grouped = <Asked, Done>(options: GroupOptions<Asked, Done>): ((question: Asked) => Promise<Done>) => {
  const { run, besideFrom = Number.POSITIVE_INFINITY, timeoutMs } = options
  /** The groups that were sent and wait for their answers, and those that wait to be sent, all in the order of asking. */
  const sent = new Set<Waiting<Asked, Done>[]>()
  const waiting: Waiting<Asked, Done>[] = []
  let watching = false
  let leaving = false

  const watch = (first: Waiting<Asked, Done>): void => {
    if (watching) return
    watching = true
    setTimeout(giveUp, Math.max(1, first.since + timeoutMs - performance.now())).unref()
  }

  /** All have the same timeout, so one timer, for the first, serves all. */
  const giveUp = (): void => {
    watching = false
    const before = performance.now() - timeoutMs
    for (const queue of [...sent, waiting])
      for (let first = queue[0]; first !== undefined; first = queue[0]) {
        if (first.since > before) return watch(first)
        queue.shift()
        first.reject(
          queue === waiting
            ? new UnavailableError('waited too long to be sent', { nothingDone: true })
            : new UnavailableError('was not answered in time'),
        )
      }
  }

  const ask = async (group: readonly Waiting<Asked, Done>[]): Promise<void> => {
    const unanswered = [...group]
    sent.add(unanswered)
    try {
      const answers = await run(group.map(({ question }) => question))
      for (const [index, { resolve, reject }] of group.entries()) {
        const answer = answers[index]
        if (answer === undefined) reject(new Error(`there is no answer to question ${index}`))
        else if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    } finally {
      sent.delete(unanswered)
    }
  }

  const isDue = (): boolean => (sent.size === 0 ? waiting.length > 0 : sent.size === 1 && waiting.length >= besideFrom)

  const leave = async (): Promise<void> => {
    leaving = false
    // Those that waited may have been told meanwhile that it took too long.
    if (!isDue()) return
    const asked = ask(waiting.splice(0, sizeOf(waiting.length, options)))
    leaveIfDue(atTurnEnd)
    await asked
    leaveIfDue(oneTurnLater)
  }

  const atTurnEnd = (): void => {
    setImmediate(leave)
  }
  const oneTurnLater = (): void => {
    setImmediate(atTurnEnd)
  }
  const leaveIfDue = (when: () => void): void => {
    if (leaving || !isDue()) return
    leaving = true
    when()
  }

  return (question) =>
    new Promise((resolve, reject) => {
      const one = { question, since: performance.now(), resolve, reject }
      waiting.push(one)
      watch(one)
      leaveIfDue(atTurnEnd)
    })
}

/**
 * Asks what is asked in one turn of the event loop with one command, `most` questions at a time. Nothing waits for those that
 * are under way: one that only reads shares nothing with them, and would fall behind those that started with it.
 */
export const perTurn = <Question, Answer>(
  run: (questions: readonly Question[]) => Promise<readonly Answer[]>,
  most: number,
): ((question: Question) => Promise<Answer>) => {
  type Group = { readonly questions: Question[]; readonly answers: Promise<readonly Answer[]> }
  let open: Group | undefined

  const begin = (): Group => {
    const questions: Question[] = []
    const { promise: leaving, resolve: leave } = Promise.withResolvers<void>()
    const group = { questions, answers: leaving.then(() => run(questions)) }
    setImmediate(() => {
      if (open === group) open = undefined
      leave()
    })
    return group
  }

  return async (question) => {
    if (open === undefined || open.questions.length >= most) open = begin()
    const { questions, answers } = open
    const at = questions.push(question) - 1
    return (await answers)[at] as Answer
  }
}
