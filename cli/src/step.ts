/** Part of a command that takes a while. */
export interface Step {
  title: string;
  /** @param update shows what is going on now */
  run: (update: (text: string) => void) => Promise<void>;
}
