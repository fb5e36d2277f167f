import { type CsvCell, renderCsv } from '../../util/csv.js';

/** Hands the reader a file that was made here. */
export function downloadFile(name: string, type: string, parts: readonly string[]): void {
    const url = URL.createObjectURL(new Blob([...parts], { type }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A table as CSV, with the mark by which spreadsheets know UTF-8. */
export function downloadCsv(name: string, rows: readonly (readonly CsvCell[])[]): void {
    downloadFile(`${name}.csv`, 'text/csv', ['\ufeff', renderCsv(rows)]);
}

/** A drawing as a file of its own: colours that the page's style names are put in. */
export function downloadSvg(name: string, svg: SVGElement): void {
    const style = getComputedStyle(document.documentElement);
    const copy = svg.cloneNode(true) as SVGElement;
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.setAttribute('font-family', 'system-ui, sans-serif');
    copy.setAttribute('color', style.getPropertyValue('--text').trim());
    const text = new XMLSerializer()
        .serializeToString(copy)
        .replace(
            /var\((--[\w-]+)\)/g,
            (whole, variable: string) => style.getPropertyValue(variable).trim() || whole,
        );
    downloadFile(`${name}.svg`, 'image/svg+xml', [text]);
}
