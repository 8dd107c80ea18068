/**
 * What does a command want, and what may it return?
 *
 * A *command* is one Lua file, `lua/<name>.lua`, that checks, changes and appends in one step. Its row names its arguments
 * and, for each result, what follows the result in the reply: an item is added as `['added', '15']`, at that price. The
 * types follow from the rows, so a misspelt argument, a result that is handled nowhere and one that no command returns are
 * errors of the compiler. A test holds each row against the header of its Lua file, and `knownResult` holds each reply
 * against its row, in the one place where replies come in: the code behind it relies on the types.
 */

/** Names of arguments, or of the texts that follow a result. One with a question mark may be missing. */
export type Names = readonly string[]

/** One thing that is read from all that follows a result. */
export type Content<Value> = {
  /** What the header of the Lua file calls it. */
  readonly name: string
  /** @throws if the reply, whose first text is the result, is not what the command promises */
  readonly read: (reply: readonly unknown[]) => Value
}

/** Results, and what follows each. */
export type Results = Readonly<Record<string, Names | Content<unknown>>>

type Row<Args extends Names, Returns extends Results, InPassing extends Results> = {
  readonly name: string
  readonly args: Args
  readonly returns: Returns
  /** Results that are not remembered under a request's key, because the same request may meet another one later. */
  readonly inPassing: InPassing
}
export type Command = Row<Names, Results, Results>

export function command<const Args extends Names, const Returns extends Results>(
  name: string,
  args: Args,
  returns: Returns,
): Row<Args, Returns, Record<never, Names>>
export function command<const Args extends Names, const Returns extends Results, const InPassing extends Results>(
  name: string,
  args: Args,
  returns: Returns,
  inPassing: InPassing,
): Row<Args, Returns, InPassing>
export function command(name: string, args: Names, returns: Results, inPassing: Results = {}): Command {
  return { name, args, returns, inPassing }
}

export type Argument = string | number

/** The arguments of a command by their names. */
export type ArgsOf<One extends { readonly args: Names }> = {
  readonly [Name in One['args'][number] as Name extends `${string}?` ? never : Name]: Argument
} & {
  readonly [Name in One['args'][number] as Name extends `${infer Optional}?` ? Optional : never]?: Argument
}

type Texts<Of extends Names> = Of extends readonly [infer First, ...infer Rest extends Names]
  ? First extends `${string}?`
    ? readonly [text?: string, ...Texts<Rest>]
    : readonly [text: string, ...Texts<Rest>]
  : readonly []

/** One of these results, as a list: what happened, then what belongs to it. */
export type ResultIn<Returns extends Results> = {
  readonly [Result in keyof Returns & string]: Returns[Result] extends Content<infer Value>
    ? readonly [Result, Value]
    : Returns[Result] extends Names
      ? readonly [Result, ...Texts<Returns[Result]>]
      : never
}[keyof Returns & string]

/** What may be returned instead under an `Idempotency-Key`: it was used for another request. */
export const keyed = { 'key-reused': [] } as const
export type KeyReused = ResultIn<typeof keyed>
/** What may be returned instead if a reading of the time is brought: it was too long ago, so nothing was done. */
export const fenced = { late: [] } as const
export type Late = ResultIn<typeof fenced>

/** What a command returns, what it returns to a request, and what of that is remembered under the request's key. */
export type ResultOf<One extends Command> = ResultIn<One['returns']> | ResultIn<One['inPassing']>
export type ResultOnce<One extends Command> = ResultOf<One> | KeyReused
export type Remembered<Returns extends Results> = ResultIn<Returns> | KeyReused

const isContent = (follows: Names | Content<unknown>): follows is Content<unknown> => 'read' in follows

const follow = (names: Names, reply: readonly unknown[]): boolean => {
  if (reply.length > names.length + 1) return false
  for (let at = 0; at < names.length; at += 1) {
    const text = reply[at + 1]
    if (typeof text !== 'string' && !(text == null && names[at]?.endsWith('?'))) return false
  }
  return true
}

/** The result of a reply, held against what may be returned; `undefined` if it is none of that. */
export const knownResult = <const Returns extends Results>(
  returns: Returns,
  reply: unknown,
): ResultIn<Returns> | undefined => {
  if (!Array.isArray(reply)) return undefined
  const result: unknown = reply[0]
  const follows = typeof result === 'string' && Object.hasOwn(returns, result) ? returns[result] : undefined
  if (follows === undefined) return undefined
  const known: unknown = isContent(follows) ? [result, follows.read(reply)] : follow(follows, reply) ? reply : undefined
  return known as ResultIn<Returns> | undefined
}
