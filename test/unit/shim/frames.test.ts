import {execFileSync} from 'node:child_process'
import {resolve} from 'node:path'
import fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {createFrameSplitter, decodeFields, encodeFrame, FrameError, headerBytes, mostFrameBytes} from '../../../src/shim/client/codec.ts'
import {messages, requests} from '../../../src/shim/client/frames.ts'

const root = resolve(import.meta.dirname, '../../..')
const program = resolve(root, 'dist/tally-shim-tests')

beforeAll(() => {
  execFileSync('sh', ['scripts/build-shim.sh', '--test'], {cwd: root})
})

const types = () =>
  new Map(
    execFileSync(program, ['types'], {encoding: 'utf8'})
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
  )
const toName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()

describe('the program', () => {
  it('passes its own tests', () => {
    expect(execFileSync(program, {encoding: 'utf8'})).toBe('')
  })

  it('has the frames of the table, by the same numbers', () => {
    const ours = [...Object.entries(requests), ...Object.entries(messages)].map(([name, {type}]) => [toName(name), type] as const)
    const theirs = [...types()].filter(([name]) => !name.startsWith('STATE_'))
    expect(new Map(ours)).toEqual(new Map(theirs))
  })

  it('takes the frames of the codec for what they are', () => {
    const {type, fields} = requests.open
    const text = 'ä'.repeat(20)
    const frame = encodeFrame(type, 4_000_000_000, fields, {
      ...{stdio: 1, flags: 2, name: text, directory: '/', log: '', uid: 0, gid: 0},
      ...{maxBytes: 2 ** 52, maxFiles: 3, columns: 80, rows: 24},
    })
    expect(execFileSync(program, ['parse'], {input: Buffer.concat([frame, frame]), encoding: 'utf8'})).toBe(
      `4 4000000000 ${frame.length}\n4 4000000000 ${frame.length}\n0 0\n`,
    )
  })
})

describe('the codec', () => {
  it('gives back what it was given, however the bytes come', () => {
    const shape = {a: 'u8', b: 'u16', c: 'u32', d: 'u64', e: 'flag', f: 'text', g: 'bytes', h: 'texts'} as const
    fc.assert(
      fc.property(
        fc.record({
          a: fc.nat(255),
          b: fc.nat(65_535),
          c: fc.nat(2 ** 32 - 1),
          d: fc.maxSafeNat(),
          e: fc.boolean(),
          f: fc.string({unit: 'grapheme'}),
          g: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          h: fc.array(fc.string()),
        }),
        fc.nat(70),
        (fields, cut) => {
          const frame = encodeFrame(9, 8, shape, fields)
          const split = createFrameSplitter()
          const frames = [...split(frame.subarray(0, cut)), ...split(frame.subarray(cut))]
          expect(frames.map(({type, request}) => ({type, request}))).toEqual([{type: 9, request: 8}])
          expect(decodeFields(shape, frames[0]?.payload ?? Buffer.alloc(0))).toEqual(fields)
        },
      ),
    )
  })

  it('has times to the microsecond, and never', () => {
    const shape = {at: 'time'} as const
    const back = (at: number | undefined) => decodeFields(shape, encodeFrame(1, 1, shape, {at}).subarray(headerBytes)).at
    expect(back(1_700_000_000_123.456)).toBeCloseTo(1_700_000_000_123.456, 2)
    expect(back(undefined)).toBeUndefined()
  })

  it('passes over what was added at the end, and refuses what is torn', () => {
    const frame = encodeFrame(1, 1, {pid: 'u32', more: 'u64'}, {pid: 5, more: 6})
    expect(decodeFields({pid: 'u32'}, frame.subarray(headerBytes))).toEqual({pid: 5})
    expect(() => decodeFields({pid: 'u32', more: 'u64'}, frame.subarray(headerBytes, -1))).toThrow(FrameError)
  })

  it.each([0, headerBytes - 1, mostFrameBytes + 1, 2 ** 32 - 1])('takes no length of %i', (length) => {
    const header = Buffer.alloc(headerBytes)
    header.writeUInt32LE(length)
    expect(() => createFrameSplitter()(header)).toThrow(FrameError)
  })

  it('makes no frame that is too large', () => {
    expect(() => encodeFrame(1, 1, {bytes: 'bytes'}, {bytes: Buffer.alloc(mostFrameBytes)})).toThrow(FrameError)
  })
})
