/**
 * A saga as a text: a sentence that says the rule, then commands, and below each, indented, what it printed.
 *
 * It is played by doing the commands and printing again; nothing else of the text is touched. So it is a test when it is
 * compared, and rewritten when the flag is set: then the difference is to be reviewed like code.
 */
import { startThreeServers } from '../three-services.ts'
import { look } from './look.ts'
import { reading } from './reading.ts'
import { recovery } from './recovery.ts'
import { requests, setUps } from './requests.ts'
import { type Command, openScene, type Scene, type Words } from './scene.ts'

export type Stage = AsyncDisposable & {
  /** Plays a text in an empty shop. @returns the text with what is printed now @throws naming the line */
  readonly play: (text: string) => Promise<string>
  /** What was applied in all texts by now: `order CreditCaptured: paid`. */
  readonly seen: () => ReadonlySet<string>
}

const OPTION = /^(?:key|deadline|by|for|restock|from|trace)=/

const wordsOf = (words: readonly string[]): Words => ({
  args: words.filter((word) => !OPTION.test(word)),
  options: new Map(words.filter((word) => OPTION.test(word)).map((word) => word.split('=') as [string, string])),
})

/** Printed lines are indented; a comment begins with `#`; the first line is the rule. */
const isCommand = (line: string, index: number): boolean => index > 0 && /^[a-z]/.test(line)
const isPrinted = (line: string): boolean => line.startsWith(' ')

const commandsOf = (scene: Scene) => {
  const quiet = setUps(scene)
  const loud: Readonly<Record<string, Command>> = {
    ...requests(scene),
    ...reading(scene),
    ...recovery(scene),
    ...look(scene),
  }
  return async (line: string): Promise<readonly string[]> => {
    const [verb = '', ...words] = line.split(' ')
    const command = quiet[verb] ?? loud[verb]
    if (command === undefined) throw new Error(`there is no command "${verb}"`)
    await command(wordsOf(words))
    if (verb in quiet) await scene.timeline.begin()
    return scene.take()
  }
}

export const openStage = async (): Promise<Stage> => {
  const servers = await startThreeServers()
  const seen = new Set<string>()
  return {
    play: async (text) => {
      await using scene = await openScene(servers)
      const run = commandsOf(scene)
      const lines: string[] = []
      for (const [index, line] of text.split('\n').entries()) {
        if (isPrinted(line)) continue
        lines.push(line)
        if (!isCommand(line, index)) continue
        try {
          lines.push(...(await run(line)))
        } catch (error) {
          throw new Error(`line ${index + 1}, "${line}": ${(error as Error).message}`, { cause: error })
        }
      }
      for (const one of scene.seen) seen.add(one)
      return lines.join('\n')
    },
    seen: () => seen,
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  }
}
