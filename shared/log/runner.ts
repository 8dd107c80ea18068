/**
 * How is a command run by its row?
 *
 * Its arguments and its result have the types of the row; what is returned is held against the row here, and nowhere else.
 */
import { impossible } from '../errors.ts'
import {
  type ArgsOf,
  type Argument,
  type Command,
  fenced,
  keyed,
  knownResult,
  type Late,
  type Names,
  type Remembered,
  type ResultOf,
  type ResultOnce,
  type Results,
} from '../redis/command.ts'
import type { Query } from '../redis/reply.ts'
import type { Once, Reply } from '../redis/script.ts'

/** Runs the commands of a log. Each function throws `UnavailableError` if the outcome is unknown or nothing was done. */
export type Runner = {
  readonly run: <One extends Command>(command: One, args: ArgsOf<One>) => Promise<ResultOf<One>>
  /** Asks what changes nothing. */
  readonly ask: <const Args extends Names, Found>(
    query: Query<Args, Found>,
    args: ArgsOf<{ args: Args }>,
  ) => Promise<Found>
  /** Runs it for a request, if there is one: once under the request's key, if it has one. */
  readonly runOnce: <One extends Command>(
    command: One,
    args: ArgsOf<One>,
    once: Once | undefined,
  ) => Promise<ResultOnce<One>>
  /** The same, unless the reading of the time that the request brings is too long ago: see `fence.ts`. */
  readonly runFenced: <One extends Command>(
    command: One,
    args: ArgsOf<One>,
    once: Once,
  ) => Promise<ResultOnce<One> | Late>
  /** What was returned under a request's key; `undefined` if nothing was, or there is no key. */
  readonly recall: <const Returns extends Results>(
    returns: Returns,
    once: Once,
  ) => Promise<Remembered<Returns> | undefined>
  /**
   * To be asked before a request is refused for what this Redis does not know: what was returned under its key, if it ran
   * elsewhere meanwhile; else the key is taken, and the request will not be run any more where it was sent before.
   */
  readonly refuse: <const Returns extends Results>(
    returns: Returns,
    once: Once,
  ) => Promise<Remembered<Returns> | undefined>
}

const remembered = <const Returns extends Results>(
  returns: Returns,
  reply: Reply | undefined,
): Remembered<Returns> | undefined =>
  reply && (knownResult(returns, reply) ?? knownResult(keyed, reply) ?? impossible('command.remembered', reply))

const known = <One extends Command>({ returns, inPassing }: One, reply: Reply): ResultOf<One> | undefined =>
  knownResult(returns, reply) ?? knownResult(inPassing, reply)

/** What was returned to a request, with the type that the command's row says. */
export const resultOnce = <One extends Command>(command: One, reply: Reply): ResultOnce<One> =>
  known(command, reply) ?? knownResult(keyed, reply) ?? impossible(`command.${command.name}`, reply)

/** Gives each reply of a log's commands the type that its row says. */
export const runner = (log: {
  readonly run: (command: string, args: Readonly<Record<string, Argument>>, once?: Once) => Promise<Reply>
  readonly ask: (query: string, args: Readonly<Record<string, Argument>>) => Promise<Reply>
  readonly recall: (once: Once) => Promise<Reply | undefined>
  readonly refuse: (once: Once) => Promise<Reply | undefined>
}): Runner => ({
  run: async (command, args) => {
    const reply = await log.run(command.name, args)
    return known(command, reply) ?? impossible(`command.${command.name}`, reply)
  },
  ask: async ({ name, read }, args) => read(await log.ask(name, args)),
  runOnce: async (command, args, once) => resultOnce(command, await log.run(command.name, args, once)),
  runFenced: async (command, args, once) => {
    const reply = await log.run(command.name, args, once)
    return knownResult(fenced, reply) ?? resultOnce(command, reply)
  },
  recall: async (returns, once) => remembered(returns, await log.recall(once)),
  refuse: async (returns, once) => remembered(returns, await log.refuse(once)),
})
