export function page(body: string): string {
  return `<!doctype html><html lang="en"><title>Visits</title>${body}</html>\n`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
