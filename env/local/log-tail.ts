/** What does the end of a log say? */
import { open } from 'node:fs/promises'

const LINE_BYTES = 1_024

const readEnd = async (file: string, lines: number, from: number): Promise<string> => {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.min(from > size ? size : size - from, lines * LINE_BYTES))
    const { bytesRead } = await handle.read({ buffer, position: size - buffer.length })
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    await handle.close()
  }
}

/**
 * The last lines of a file; fewer if they are longer than usual. If it cannot be read, why. What was in it up to `from` is
 * none of them, unless it has become shorter since.
 */
export const readTail = async (file: string, lines: number, from = 0): Promise<string> => {
  try {
    return await readEnd(file, lines, from)
  } catch (error) {
    return `(the log cannot be read: ${(error as Error).message})`
  }
}
