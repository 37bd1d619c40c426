/** A picture in the terminal that is drawn again when something changes. Afterwards the terminal is as it was before. */
import {writeSync} from 'node:fs'
import {exitCodes} from './exit-codes.ts'
import {enterRawMode} from './terminal.ts'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const
/** q, ctrl-c, ctrl-d: as bytes, since in raw mode no key sends a signal. */
const quitKeys = new Set(['q', 'Q', '\x03', '\x04'])

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** @param size of the window; undefined where the picture is printed, or the terminal has no size: then nothing is cut off */
export type Render = (size: ScreenSize | undefined) => string

/**
 * Calls `work`, and draws each time it asks for it, until `work` has ended or the user presses a quit key. The last picture stays in the
 * terminal. When stdout is not a terminal, each picture is printed after the one before.
 */
export async function withLiveScreen(render: Render, work: (draw: () => void) => Promise<void>): Promise<void> {
  const {stdout} = process
  if (!stdout.isTTY) return await work(() => void stdout.write(`${render(undefined)}\n`))
  const end = await drawUntilEnd(render, work)
  const size = toScreenSize(stdout)
  stdout.write(`${render(size && {...size, rows: Number.POSITIVE_INFINITY})}\n`)
  // `work` is still running, and may wait for a connection for ever.
  if (end === 'quit') process.exit(exitCodes.ok)
}

async function drawUntilEnd(render: Render, work: (draw: () => void) => Promise<void>): Promise<'done' | 'quit'> {
  using screen = openLiveScreen(process, draw)
  draw()
  return await Promise.race([work(draw).then(() => 'done' as const), screen.quit.then(() => 'quit' as const)])

  function draw(): void {
    screen.draw(render)
  }
}

interface LiveScreen extends Disposable {
  /** Resolves when the user presses a quit key. */
  readonly quit: Promise<void>
  /** Lines below the window are cut off. */
  draw(render: Render): void
}

/**
 * MUST leave the terminal as it was; achieved by restoring it on disposal, when this process exits, and when a signal ends it.
 */
function openLiveScreen({stdin, stdout}: Pick<NodeJS.Process, 'stdin' | 'stdout'>, onResize: () => void): LiveScreen {
  using stack = new DisposableStack()
  const quit = Promise.withResolvers<void>()
  // Synchronous: process.exit() does not wait for a stream.
  const restore = () => void tryWrite(stdout.fd, leave)
  const end = (signal: NodeJS.Signals) => {
    screen[Symbol.dispose]()
    process.kill(process.pid, signal)
  }
  const onKey = (bytes: Buffer) => {
    if ([...bytes.toString('latin1')].some((key) => quitKeys.has(key))) quit.resolve()
  }
  tryWrite(stdout.fd, enter)
  process.on('exit', restore)
  stack.defer(() => {
    process.off('exit', restore)
    restore()
  })
  stack.use(enterRawMode(stdin))
  // Listeners are called in order, and those of raw mode end this process: this one has to come first.
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
  const resources = stack.move()
  const screen: LiveScreen = {
    quit: quit.promise,
    draw: (render) => {
      const size = toScreenSize(stdout)
      stdout.write(toFrame(render(size), size))
    },
    [Symbol.dispose]: () => resources.dispose(),
  }
  return screen
}

/** @returns undefined when it is not a terminal, or one without a size */
export function toScreenSize({columns, rows}: Partial<ScreenSize>): ScreenSize | undefined {
  return columns && rows ? {columns, rows} : undefined
}

/** Writes over the picture before, line by line, so that it does not flicker. In raw mode a line feed needs a carriage return. */
export function toFrame(text: string, size: ScreenSize | undefined): string {
  const lines = text.split('\n').slice(0, size?.rows)
  return `\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`
}

function tryWrite(fd: number, text: string): void {
  try {
    writeSync(fd, text)
  } catch {
    // The terminal has been closed: there is nothing to restore.
  }
}
