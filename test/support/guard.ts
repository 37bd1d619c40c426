/** A program: waits until the test runner that started it has ended, however that ended, and removes what the run left. */
import {removeRun} from './remove-run.ts'

const [, , run = ''] = process.argv
process.title = 'tally-test-guard'
process.stdin.on('end', () => void removeRun(run)).resume()
