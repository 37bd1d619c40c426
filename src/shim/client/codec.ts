/**
 * Bytes and values of the frames between a shim and its supervisor (docs/shim.md): a header of 12 bytes (length, type, zero, request), then
 * fields, little-endian. Fields are only ever added at the end: what a reader does not know it passes over. What an older shim does not
 * send is absent, which the table of frames says by `since`.
 */

/** How a field is written, and what it is in TypeScript. */
interface Kinds {
  readonly u8: number
  readonly u16: number
  readonly u32: number
  /** Up to 2^53. */
  readonly u64: number
  readonly flag: boolean
  /** Nanoseconds on the wire, milliseconds here; undefined for never. */
  readonly time: number | undefined
  readonly text: string
  readonly bytes: Uint8Array
  readonly texts: readonly string[]
}

export type Shape = Readonly<Record<string, keyof Kinds>>
export type Fields<S extends Shape> = {readonly [K in keyof S]: Kinds[S[K]]}

export interface Frame {
  readonly type: number
  /** Of a reply, the number of what it answers; 0 for what nobody asked for. */
  readonly request: number
  readonly payload: Buffer
}

/** A frame that can be none, or fields that are not there. The connection is of no use any more. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export const headerBytes = 12
export const mostFrameBytes = 32 * 1024
const never = 0xffff_ffff_ffff_ffffn
const nsPerMs = 1_000_000

export function encodeFrame<S extends Shape>(type: number, request: number, shape: S, fields: Fields<S>): Buffer {
  const pieces = Object.entries(shape).map(([name, kind]) => writers[kind](fields[name] as never))
  const length = headerBytes + pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (length > mostFrameBytes) throw new FrameError(`expected a frame of at most ${mostFrameBytes} bytes, got ${length}`)
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(length, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt32LE(request, 8)
  return Buffer.concat([header, ...pieces], length)
}

export function decodeFields<S extends Shape>(shape: S, payload: Buffer): Fields<S> {
  const reader = createReader(payload)
  return Object.fromEntries(Object.entries(shape).map(([name, kind]) => [name, readers[kind](reader)])) as Fields<S>
}

/** Cuts a stream of bytes into frames. @throws FrameError */
export function createFrameSplitter(): (chunk: Buffer) => readonly Frame[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const frames: Frame[] = []
    let at = 0
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32LE(at)
      if (length < headerBytes || length > mostFrameBytes) throw new FrameError(`expected the length of a frame, got ${length}`)
      if (bytes.length - at < length) break
      const payload = bytes.subarray(at + headerBytes, at + length)
      frames.push({type: bytes.readUInt16LE(at + 4), request: bytes.readUInt32LE(at + 8), payload})
      at += length
    }
    rest = bytes.subarray(at)
    return frames
  }
}

function toTime(ns: bigint): number | undefined {
  return ns === never ? undefined : Number(ns / 1000n) / 1000
}

function toNs(ms: number | undefined): bigint {
  return ms === undefined ? never : BigInt(Math.floor(ms)) * BigInt(nsPerMs) + BigInt(Math.round((ms - Math.floor(ms)) * nsPerMs))
}

const writers: {readonly [K in keyof Kinds]: (value: Kinds[K]) => Buffer} = {
  u8: (value) => write(1, (bytes) => bytes.writeUInt8(value)),
  u16: (value) => write(2, (bytes) => bytes.writeUInt16LE(value)),
  u32: (value) => write(4, (bytes) => bytes.writeUInt32LE(value)),
  u64: (value) => write(8, (bytes) => bytes.writeBigUInt64LE(BigInt(value))),
  flag: (value) => write(1, (bytes) => bytes.writeUInt8(value ? 1 : 0)),
  time: (value) => write(8, (bytes) => bytes.writeBigUInt64LE(toNs(value))),
  text: (value) => withLength(Buffer.from(value)),
  bytes: (value) => withLength(value),
  texts: (values) =>
    Buffer.concat([write(4, (bytes) => bytes.writeUInt32LE(values.length)), ...values.map((value) => withLength(Buffer.from(value)))]),
}

function write(size: number, put: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size)
  put(bytes)
  return bytes
}

function withLength(value: Uint8Array): Buffer {
  return Buffer.concat([write(2, (bytes) => bytes.writeUInt16LE(value.length)), value])
}

/** Gives so many bytes, and those that follow the next time. */
type Reader = (size: number) => Buffer

function createReader(payload: Buffer): Reader {
  let at = 0
  return (size) => {
    if (payload.length - at < size) throw new FrameError(`expected ${size} bytes more in a frame, got ${payload.length - at}`)
    at += size
    return payload.subarray(at - size, at)
  }
}

const readers: {readonly [K in keyof Kinds]: (read: Reader) => Kinds[K]} = {
  u8: (read) => read(1).readUInt8(),
  u16: (read) => read(2).readUInt16LE(),
  u32: (read) => read(4).readUInt32LE(),
  u64: (read) => Number(read(8).readBigUInt64LE()),
  flag: (read) => read(1).readUInt8() !== 0,
  time: (read) => toTime(read(8).readBigUInt64LE()),
  text: (read) => read(read(2).readUInt16LE()).toString(),
  bytes: (read) => Buffer.from(read(read(2).readUInt16LE())),
  texts: (read) => Array.from({length: read(4).readUInt32LE()}, () => read(read(2).readUInt16LE()).toString()),
}
