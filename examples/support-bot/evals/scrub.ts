/** Takes the mail addresses of customers out of recorded cases. */
export function scrub(text: string): string {
  return text.replaceAll(/[\w.]+@[\w.]+\w/g, "kim@shop.example");
}
