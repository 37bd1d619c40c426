/**
 * A log in several files: `log` is written, `log.1` was before it, and so on; the oldest are dropped. Where each begins, counted
 * since create, is in `log.places`, by inode: whatever the names are in the middle of a rotation, the order is known (docs/log-format.md).
 *
 * The shim writes and rotates while this process reads. MUST hold: what is read is a part of the log without a gap in it; achieved by opening
 * all files before the first is read, by holding each to the inode that its place names, and by looking again when names have changed meanwhile.
 */
import {closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import * as z from 'zod'
import {isMissing} from '../kernel/files.ts'

/** Where a file begins: bytes of log, and of each stream, that came before. */
const placeSchema = z.object({position: z.int(), stdout: z.int(), stderr: z.int()})
export type Place = Readonly<z.infer<typeof placeSchema>>
const placesSchema = z.array(placeSchema.extend({inode: z.int()}))
type KnownPlace = Readonly<z.infer<typeof placesSchema>[number]>

export interface Segment {
  readonly path: string
  readonly begin: Place
}

/** A file of the log, open for reading. */
export interface OpenSegment {
  readonly fd: number
  readonly begin: Place
}

export interface OpenLog extends Disposable {
  /** Where the log begins now. */
  readonly oldest: Place
  /** Those that have something behind the position, oldest first; at least the last. */
  readonly segments: readonly OpenSegment[]
}

export const firstPlace: Place = {position: 0, stdout: 0, stderr: 0}

/** A rotation takes a moment. Only one after another, without a pause, could keep a reader from finding the same names twice. */
const mostAttempts = 10_000

/** The files of a log, oldest first. One that was never rotated has one, whether it exists or not. */
export function listSegments(path: string): readonly Segment[] {
  const files = findFiles(path).flatMap(({file, place}) => (file === undefined ? [] : [{path: file, begin: toBegin(place)}]))
  return files.length > 0 ? files : [{path, begin: firstPlace}]
}

/**
 * Opens what there is of a log from a position on. One that does not exist yet counts as empty.
 * @throws Error of the file system
 */
export function openLog(path: string, position = 0): OpenLog {
  let before: string | undefined
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    const files = findFiles(path)
    const seen = JSON.stringify(files)
    // A file that is missing was dropped, or has been renamed while this looked for it.
    const isSettled = seen === before || files.every(({file}) => file !== undefined)
    const opened = isSettled ? openFiles(path, files, position) : undefined
    if (opened) return opened
    before = seen
  }
  throw new Error(`the log ${path} is rotated faster than it can be opened`)
}

interface KnownFile {
  readonly place: KnownPlace
  /** Undefined when it was dropped. */
  readonly file: string | undefined
}

/** @returns undefined when the log has been rotated meanwhile */
function openFiles(path: string, files: readonly KnownFile[], position: number): OpenLog | undefined {
  using opening = new DisposableStack()
  const present = files.slice(files.findLastIndex(({file}) => file === undefined) + 1)
  const segments: OpenSegment[] = []
  for (const [index, {file = path, place}] of present.entries()) {
    const next = present[index + 1]
    if (next && next.place.position <= position) continue
    const fd = openIfThere(file, opening)
    if (fstatSync(fd).ino !== place.inode) return undefined
    segments.push({fd, begin: toBegin(place)})
  }
  if (segments.length === 0) segments.push({fd: openIfThere(path, opening), begin: firstPlace})
  // The number of an inode may be used again, and the first rotation gives a log its first places.
  if (JSON.stringify(readPlaces(path)) !== JSON.stringify(files.map(({place}) => place))) return undefined
  const opened = opening.move()
  const [oldest] = present
  return {oldest: oldest ? toBegin(oldest.place) : firstPlace, segments, [Symbol.dispose]: () => opened.dispose()}
}

function openIfThere(file: string, opening: DisposableStack): number {
  const open = (name: string) => opening.adopt(openSync(name, constants.O_RDONLY), closeSync)
  try {
    return open(file)
  } catch (error) {
    if (isMissing(error)) return open('/dev/null')
    throw error
  }
}

/** By their places, oldest first. */
function findFiles(path: string): readonly KnownFile[] {
  const places = readPlaces(path)
  if (places.length === 0) return []
  const names = new Map(listFiles(path).map((file) => [statSync(file, {throwIfNoEntry: false})?.ino, file]))
  return places.map((place) => ({place, file: names.get(place.inode)}))
}

function listFiles(path: string): readonly string[] {
  const name = basename(path)
  const suffix = /^(\.next|\.\d+)?$/
  return readDirectory(dirname(path))
    .filter((file) => file.startsWith(name) && suffix.test(file.slice(name.length)))
    .map((file) => join(dirname(path), file))
}

/** Of two with the same inode the later is valid: the number of a dropped file's may be used again. */
function readPlaces(path: string): readonly KnownPlace[] {
  try {
    const places = placesSchema.parse(JSON.parse(readFileSync(`${path}.places`, 'utf8')))
    return [...new Map(places.map((place) => [place.inode, place])).values()].sort((a, b) => a.position - b.position)
  } catch {
    // It was never rotated.
    return []
  }
}

function readDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function toBegin({position, stdout, stderr}: KnownPlace): Place {
  return {position, stdout, stderr}
}
