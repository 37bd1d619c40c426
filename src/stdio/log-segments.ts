/**
 * A log in several files: `log` is written, `log.1` was before it, and so on; the oldest are dropped. Where each begins, counted
 * since create, is in `log.places`, by inode: whatever the names are in the middle of a rotation, the order is known.
 *
 * MUST hold: a line is in exactly one file, and no file that is to be kept is lost, wherever a crash comes; achieved by recording the
 * new file's place before any file is renamed, and by renaming the oldest first.
 */
import {closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import * as z from 'zod'

/** Where a file begins: bytes of log, and of each stream, that came before. */
const placeSchema = z.object({position: z.int(), stdout: z.int(), stderr: z.int()})
export type Place = z.infer<typeof placeSchema>
const placesSchema = z.array(placeSchema.extend({inode: z.int()}))
type Places = z.infer<typeof placesSchema>

export interface Segment {
  readonly path: string
  readonly begin: Place
}

export const firstPlace: Place = {position: 0, stdout: 0, stderr: 0}

/** The files of a log, oldest first. One that was never rotated has one, whether it exists or not. */
export function listSegments(path: string): readonly Segment[] {
  const places = readPlaces(path)
  const segments = listFiles(path).flatMap((file) => {
    const {ino} = statSync(file)
    // The number of a dropped file's inode may be used again: the latest place is that of the file.
    const place = places.findLast(({inode}) => inode === ino)
    return place ? [{path: file, begin: place}] : []
  })
  return segments.length > 0 ? segments.sort((a, b) => a.begin.position - b.begin.position) : [{path, begin: firstPlace}]
}

/**
 * Begins a new file, which `begin` is the place of.
 * @throws Error of the file system, when it has no room: the log goes on in its present file
 */
export function rotate(path: string, maxFiles: number, begin: Place): void {
  const next = `${path}.next`
  closeSync(openSync(next, 'w', 0o600))
  const known = readPlaces(path)
  const before = known.length > 0 ? known : [{inode: statSync(path).ino, ...firstPlace}]
  writePlaces(path, [...before, {inode: statSync(next).ino, ...begin}])
  settle(path, maxFiles)
}

/** Completes a rotation that a crash has cut short. Idempotent. */
export function settle(path: string, maxFiles: number): void {
  const segments = listSegments(path)
  const count = segments.length
  for (const [index, {path: from}] of segments.entries()) {
    const age = count - 1 - index
    const to = age === 0 ? path : `${path}.${age}`
    if (age >= maxFiles) rmSync(from, {force: true})
    else if (from !== to) renameSync(from, to)
  }
  // Its place was not recorded: nothing was written to it.
  rmSync(`${path}.next`, {force: true})
  const places = readPlaces(path)
  const kept = places.slice(-maxFiles)
  if (kept.length < places.length) writePlaces(path, kept)
}

/** Removes the oldest file, of several, for its room. */
export function dropOldest(path: string): void {
  settle(path, listSegments(path).length - 1)
}

function listFiles(path: string): readonly string[] {
  const name = basename(path)
  const suffix = /^(\.next|\.\d+)?$/
  return readDirectory(dirname(path))
    .filter((file) => file.startsWith(name) && suffix.test(file.slice(name.length)))
    .map((file) => join(dirname(path), file))
}

function readPlaces(path: string): Places {
  try {
    return placesSchema.parse(JSON.parse(readFileSync(`${path}.places`, 'utf8')))
  } catch {
    // It was never rotated.
    return []
  }
}

/** All of it or nothing. */
function writePlaces(path: string, places: Places): void {
  writeFileSync(`${path}.places.new`, JSON.stringify(places), {mode: 0o600})
  renameSync(`${path}.places.new`, `${path}.places`)
}

function readDirectory(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
