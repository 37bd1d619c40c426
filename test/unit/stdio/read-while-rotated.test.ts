/** The shim writes and rotates in a process of its own while others read. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {join, resolve} from 'node:path'
import {setImmediate as turn} from 'node:timers/promises'
import {beforeAll, describe, expect, it} from 'vitest'
import {readLogPage} from '../../../src/stdio/log-page.ts'
import {createOutputReader, type OutputReader} from '../../../src/stdio/output-reader.ts'
import {createLogFollower} from '../../../src/supervisor/output/log-follower.ts'
import {buildShimTests} from '../../support/shim-log.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const program = resolve(import.meta.dirname, '../../../dist/tally-shim-tests')
const lines = 10_000
/** Of ten bytes each. */
const text = Array.from({length: lines}, (_, index) => `${index}`.padStart(9, '0').concat('\n')).join('')

beforeAll(buildShimTests)

/** Many small files: a rotation every few lines. */
async function whileWritten(maxFiles: number, read: (path: string) => Promise<void>): Promise<string> {
  const dir = makeTempDir()
  const path = join(dir.path, 'log')
  try {
    const writer = spawn(program, ['append', path, '2000', String(maxFiles)], {stdio: ['pipe', 'ignore', 'inherit']})
    const ended = once(writer, 'exit')
    const piece = Buffer.alloc(5 + 100)
    piece.writeUInt32LE(100, 1)
    for (let at = 0; at < text.length; at += 100) {
      piece.write(text.slice(at, at + 100), 5)
      writer.stdin.write(Buffer.from(piece))
    }
    writer.stdin.end()
    while (writer.exitCode === null) {
      await read(path)
      await turn()
    }
    expect(await ended).toEqual([0, null])
    await read(path)
    return createOutputReader(path)
      .read('stdout', 0, 2 * text.length)
      .bytes.toString()
  } finally {
    dir[Symbol.dispose]()
  }
}

describe('a log that is rotated while it is read', () => {
  it('is handed on whole and once by who follows it, when nothing is dropped', async () => {
    const chunks: Buffer[] = []
    let offset = 0
    let follower: ReturnType<typeof createLogFollower> | undefined
    await whileWritten(1_000_000, async (path) => {
      follower ??= createLogFollower(path, {position: 0, stdout: 0, stderr: 0}, (chunk) => {
        expect(chunk.offset).toBe(offset)
        offset += chunk.bytes.length
        chunks.push(Buffer.from(chunk.bytes))
      })
      await follower.read()
    })
    expect(Buffer.concat(chunks).toString() === text).toBe(true)
  })

  it('is handed on with true offsets by who follows it, where files are dropped before they are read', async () => {
    let end = 0
    let follower: ReturnType<typeof createLogFollower> | undefined
    await whileWritten(2, async (path) => {
      follower ??= createLogFollower(path, {position: 0, stdout: 0, stderr: 0}, ({offset, bytes}) => {
        expect(offset).toBeGreaterThanOrEqual(end)
        expect(Buffer.from(bytes).toString()).toBe(text.slice(offset, offset + bytes.length))
        end = offset + bytes.length
      })
      await follower.read()
    })
    expect(end).toBe(text.length)
  })

  it('gives pages and bytes of a stream as they were written, whatever is dropped meanwhile', async () => {
    let position = 0
    let reader: OutputReader | undefined
    let wanted = 0
    await whileWritten(3, async (path) => {
      const page = readLogPage(path, position, 5_000)
      const first = Number(page.entries[0]?.bytes.toString() ?? 0)
      expect(page.entries.map(({bytes}) => Number(bytes.toString()))).toEqual(page.entries.map((_, index) => first + index))
      position = page.next
      reader ??= createOutputReader(path)
      const read = reader.read('stdout', wanted, 3_000)
      expect(read.bytes.toString()).toBe(text.slice(read.offset, read.offset + read.bytes.length))
      wanted = read.offset + read.bytes.length
    })
  })
})
