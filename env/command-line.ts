/** How is the command line of a program read? What is wrong with it is one sentence, which names the option. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What a command line holds. @throws UsageError for an option that is not known or lacks its value. */
export const readLine = <Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> => {
  try {
    return parseArgs(config)
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ')
    throw new UsageError(sentence.replace(/\.$/, ''))
  }
}
