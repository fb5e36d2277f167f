import { type CsvCell, renderCsv } from '../../util/csv.js';

/** Offers the reader a generated file for download. */
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

/** Downloads a table as CSV, with the byte order mark by which spreadsheets recognise UTF-8. */
export function downloadCsv(name: string, rows: readonly (readonly CsvCell[])[]): void {
    downloadFile(`${name}.csv`, 'text/csv', ['\ufeff', renderCsv(rows)]);
}

/** Downloads a drawing as a standalone file, with the style sheet's colour variables replaced by their values. */
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
