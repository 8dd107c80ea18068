/** How is the command line of a program read? What is wrong with it is one sentence, which names the option. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** The command line cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The options as they were given. @throws UsageError for one that is not known or lacks its value. */
export const readOptions = <Config extends ParseArgsOptionsConfig>(line: readonly string[], options: Config) => {
  try {
    return parseArgs({ args: [...line], options }).values
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split('. ')
    throw new UsageError(sentence.replace(/\.$/, ''))
  }
}

/** A whole number within its bounds. @throws UsageError */
export const parseNumber = (option: string, value: string, min: number, max: number): number => {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`--${option} takes numbers from ${min} to ${max}, not "${value}"`)
}
