/** An operator at a terminal: the command line tools, run as they are. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OpenShop } from './shop.ts'

const ROOT = join(import.meta.dirname, '../../..')
const TIMEOUT_MS = 30_000
const run = promisify(execFile)

export type Ran = { readonly code: number; readonly out: string; readonly said: string }

export type Run = (...line: readonly string[]) => Promise<Ran>

/** Runs a tool of `env/operator/` with a command line; what it wrote, and its exit code. */
export const terminal =
  (tool: string, environment: NodeJS.ProcessEnv = {}): Run =>
  async (...line) => {
    const options = { cwd: ROOT, env: { ...process.env, ...environment }, timeout: TIMEOUT_MS }
    try {
      const { stdout, stderr } = await run(process.execPath, [join('env/operator', tool), ...line], options)
      return { code: 0, out: stdout, said: stderr }
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
      if (typeof code !== 'number') throw error
      return { code, out: stdout, said: stderr }
    }
  }

export type Operator = {
  /** `npm run saga -- ...` for this shop. */
  readonly saga: Run
  /** The same with `--json`: what it says, parsed. @throws if its exit code is not 0 */
  readonly json: <Said>(...line: readonly string[]) => Promise<Said>
}

export const operatorOf = ({ shop }: OpenShop, token: string): Operator => {
  const tool = terminal('saga.ts', { OPERATOR_TOKEN: token })
  const saga: Run = (...line) => tool(...line, '--url', shop.url)
  return {
    saga,
    json: async (...line) => {
      const { code, out, said } = await saga(...line, '--json')
      if (code !== 0) throw new Error(`${line.join(' ')} ended with ${code}: ${said || out}`)
      return JSON.parse(out)
    },
  }
}
