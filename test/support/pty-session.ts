/** A program under a real terminal, as a user has it: script(1) of bsdutils, which every Debian has, is at the other end. */
import {execFileSync} from 'node:child_process'
import {execa} from 'execa'
import {eventually} from './tally-node.ts'

export interface PtySession extends AsyncDisposable {
  /** All that was on the screen so far, with its control sequences. */
  readonly screen: string
  /** Presses keys. */
  send(text: string): void
  /** Waits for a text on the screen behind what was waited for before. */
  waitFor(pattern: RegExp): Promise<void>
  /** Draws the window larger or smaller. */
  resize(size: {readonly columns: number; readonly rows: number}): void
  /** How its settings are, as stty(1) prints them. */
  settings(): string
  readonly exited: Promise<number | undefined>
}

export interface PtyOptions {
  readonly env: NodeJS.ProcessEnv
  readonly columns?: number
  readonly rows?: number
}

/** @param command for a shell, which has the terminal; the session lasts as long as it does */
export async function startPtySession(command: string, {env, columns = 80, rows = 24}: PtyOptions): Promise<PtySession> {
  const child = execa('script', ['-qec', `stty cols ${columns} rows ${rows}; tty; ${command}`, '/dev/null'], {
    env: {...env, SHELL: '/bin/sh'},
    reject: false,
    timeout: 60_000,
    buffer: false,
  })
  let screen = ''
  let seen = 0
  child.stdout.on('data', (bytes: Buffer) => {
    screen += bytes.toString('latin1')
  })
  const exited = child.then(({exitCode}) => exitCode)
  const session: PtySession = {
    get screen() {
      return screen
    },
    send: (text) => void child.stdin.write(text, 'latin1'),
    waitFor: async (pattern) => {
      const find = () => pattern.exec(screen.slice(seen))
      await eventually(`${pattern} on the screen`, () => find() !== null).catch((cause: unknown) => {
        throw new Error(`expected ${pattern} behind ${seen} of ${JSON.stringify(screen)}`, {cause})
      })
      const found = find()
      if (found) seen += found.index + found[0].length
    },
    resize: (size) => void stty('cols', String(size.columns), 'rows', String(size.rows)),
    settings: () => stty('-a'),
    exited,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
    },
  }
  await session.waitFor(/\/dev\/pts\/\d+/)
  const [device = ''] = /\/dev\/pts\/\d+/.exec(screen) ?? []
  return session

  function stty(...args: readonly string[]): string {
    return execFileSync('stty', ['-F', device, ...args], {encoding: 'utf8'})
  }
}
