/**
 * How does a terminal show something that changes?
 *
 * On its other screen, without the cursor, each line written over the last one, so that nothing flickers; `close` gives the
 * terminal back as it was. What is said meanwhile would spoil the screen, so it waits for that.
 */
import type { WriteStream } from 'node:tty'

export type Screen = {
  readonly show: (lines: readonly string[]) => void
  readonly close: () => void
}

const OPEN = '\x1b[?1049h\x1b[?25l\x1b[2J'
const CLOSE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

export const openScreen = (terminal: WriteStream): Screen => {
  let isOpen = true
  terminal.write(OPEN)
  return {
    show: (lines) => {
      if (isOpen) terminal.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW)
    },
    close: () => {
      if (isOpen) terminal.write(CLOSE)
      isOpen = false
    },
  }
}
