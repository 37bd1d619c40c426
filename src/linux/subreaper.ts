import {check, libc} from './libc.ts'

const PR_SET_CHILD_SUBREAPER = 36

/** Descendants whose parent dies become children of this process (prctl(2)). Children do not inherit this attribute. */
export function becomeChildSubreaper(): void {
  check('prctl', libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}
