/** What the exit codes of the command mean; part of its help. */
export const exitCodes = `Exit codes:
  0    done
  1    it could not be done; the last line says why and what to do
  2    called wrongly
  130  interrupted by Ctrl-C (143: by SIGTERM)`;
