/** A picture in the terminal that is drawn anew when something changes, and is gone afterwards with everything as it was. */
import {writeSync} from 'node:fs'
import {exitCodes} from './exit-codes.ts'
import {enterRawMode} from './terminal.ts'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const
/** q, ctrl-c, ctrl-d; as bytes, since in raw mode no key is a signal. */
const quitKeys = new Set(['q', 'Q', '\x03', '\x04'])

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** @param size of the window; undefined where the picture is printed and may be as large as it likes */
export type Render = (size: ScreenSize | undefined) => string

/**
 * Draws whenever `work` says so, until that has ended or whoever looks has seen enough. The last picture stays behind. What is not a
 * terminal gets one picture after the other.
 */
export async function withLiveScreen(render: Render, work: (draw: () => void) => Promise<void>): Promise<void> {
  const {stdout} = process
  if (!stdout.isTTY) return await work(() => void stdout.write(`${render(undefined)}\n`))
  let hasLeft = false
  {
    using screen = openLiveScreen(process, draw)
    const leaving = screen.left.then(() => {
      hasLeft = true
    })
    draw()
    await Promise.race([work(draw), leaving])

    function draw(): void {
      screen.draw(render)
    }
  }
  stdout.write(`${render(toScreenSize({...stdout, rows: Number.POSITIVE_INFINITY}))}\n`)
  // Connections are not waited for: one that is lost is tried for ever.
  if (hasLeft) process.exit(exitCodes.ok)
}

interface LiveScreen extends Disposable {
  /** Resolves when whoever looks has seen enough. */
  readonly left: Promise<void>
  /** What is beyond the window is cut. */
  draw(render: Render): void
}

/**
 * MUST leave the terminal as it was, whatever happens; achieved by doing so when disposed of, when this process exits, and when
 * a signal ends it.
 */
function openLiveScreen({stdin, stdout}: Pick<NodeJS.Process, 'stdin' | 'stdout'>, onResize: () => void): LiveScreen {
  using stack = new DisposableStack()
  const left = Promise.withResolvers<void>()
  // Written at once: an exit does not wait for a stream.
  const restore = () => void tryWrite(stdout.fd, leave)
  const end = (signal: NodeJS.Signals) => {
    screen[Symbol.dispose]()
    process.kill(process.pid, signal)
  }
  const onKey = (bytes: Buffer) => {
    if ([...bytes.toString('latin1')].some((key) => quitKeys.has(key))) left.resolve()
  }
  tryWrite(stdout.fd, enter)
  process.on('exit', restore)
  stack.defer(() => {
    process.off('exit', restore)
    restore()
  })
  stack.use(enterRawMode(stdin))
  // After those of raw mode, which end this process themselves: they are called in this order.
  for (const signal of endings) process.prependListener(signal, end)
  stack.defer(() => {
    for (const signal of endings) process.off(signal, end)
  })
  if (stdin.isTTY) {
    stdin.on('data', onKey)
    stdin.resume()
    stack.defer(() => {
      stdin.off('data', onKey)
      stdin.pause()
    })
  }
  stdout.on('resize', onResize)
  stack.defer(() => void stdout.off('resize', onResize))
  const held = stack.move()
  const screen: LiveScreen = {
    left: left.promise,
    draw: (render) => {
      const size = toScreenSize(stdout)
      stdout.write(toFrame(render(size), size))
    },
    [Symbol.dispose]: () => held.dispose(),
  }
  return screen
}

export function toScreenSize({columns = 80, rows = 24}: Partial<ScreenSize>): ScreenSize {
  return {columns, rows}
}

/** Over what was there before, line by line, without flicker. In raw mode a line feed is no return. */
export function toFrame(text: string, {rows}: ScreenSize): string {
  const lines = text.split('\n').slice(0, rows)
  return `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`
}

function tryWrite(fd: number, text: string): void {
  try {
    writeSync(fd, text)
  } catch {
    // The terminal is gone: there is nothing to put back.
  }
}
