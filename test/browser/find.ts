/** Says which Chromium the browser tests would use, or, in one sentence, what is missing. */
import { findChromium, MISSING } from './chromium.ts'

const found = findChromium()
if (found === undefined) {
  process.stderr.write(`${MISSING}\n`)
  process.exitCode = 1
} else process.stdout.write(`${found}\n`)
