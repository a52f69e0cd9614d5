import { cssVariables, FONT } from './charts/theme.ts';

/** The page's style sheet: light and dark, wide and narrow, screen and paper. */
export function styleSheet(fontUri: string): string {
  return `
@font-face{font-family:Inter;font-weight:100 900;font-display:swap;src:url(${fontUri}) format('woff2')}
:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${DARK}}}
:root[data-theme=dark]{${DARK}}
${LAYOUT}${TEXT}${TABLES}${PICTURES}${CONTROLS}${NARROW}${PRINT}`;
}

const LIGHT = `${cssVariables('light')}--soft:#f5f7fa;--wash:#eaf1fe;--good:#137a4e;--good-wash:#e4f5ec;--alert:#a85407;--alert-wash:#fdf1e2;--wrong:#b3261e;--shadow:0 1px 2px #1b233014,0 4px 16px #1b23300a;color-scheme:light`;

const DARK = `${cssVariables('dark')}--soft:#1b2027;--wash:#1d2c48;--good:#5fd39b;--good-wash:#14301f;--alert:#f5b26b;--alert-wash:#33240f;--wrong:#ff8a80;--shadow:0 1px 2px #0006;color-scheme:dark`;

const LAYOUT = `
*{box-sizing:border-box}
html{scroll-padding-top:16px;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--text);font:16px/1.6 ${FONT};font-feature-settings:'cv11','ss03';overflow-wrap:anywhere}
.page{display:grid;grid-template-columns:208px minmax(0,1120px);gap:56px;max-width:1440px;margin:0 auto;padding:0 32px}
nav{position:sticky;top:0;align-self:start;height:100vh;padding:40px 0 24px;overflow:auto;font-size:13.5px;display:flex;flex-direction:column;gap:18px}
nav .brand{font-weight:700;font-size:15px;letter-spacing:-.01em;color:var(--text);text-decoration:none}
nav ol{list-style:none;margin:0;padding:0;counter-reset:part;display:flex;flex-direction:column}
nav li a{display:flex;gap:10px;padding:5px 10px;border-left:2px solid var(--line);color:var(--muted);text-decoration:none;line-height:1.35}
nav li a:hover{color:var(--text)}
nav li a[aria-current]{color:var(--accent);border-color:var(--accent);font-weight:600}
main{padding:40px 0 96px;min-width:0}
main>section{padding-top:28px;margin-top:52px;border-top:1px solid var(--line)}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:20px;margin:18px 0}
.charts:empty{display:none}
#cost .charts{grid-template-columns:1fr}
#layers .charts{grid-template-columns:repeat(auto-fill,minmax(min(100%,300px),1fr))}
`;

const TEXT = `
h1,h2,h3{line-height:1.2;letter-spacing:-.018em;text-wrap:balance}
h1{font-size:clamp(28px,4.6vw,42px);font-weight:750;margin:6px 0 14px;letter-spacing:-.028em}
h2{font-size:26px;font-weight:700;margin:0 0 14px}
h2 .count{color:var(--muted);font-weight:400;font-variant-numeric:tabular-nums;margin-right:10px}
h3{font-size:17px;font-weight:650;margin:30px 0 10px}
h3 small,th small,td small{font-weight:400;color:var(--muted)}
h3 small{font-size:14px;margin-left:6px;letter-spacing:0}
p{margin:0 0 12px;max-width:78ch}
a{color:var(--accent)}
code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}
pre{background:var(--soft);padding:14px 16px;border-radius:10px;overflow:auto;max-height:420px;overflow-wrap:normal}
.eyebrow{color:var(--muted);font-size:13px;font-weight:550;letter-spacing:.02em;margin:0}
.lead{font-size:19px;line-height:1.5;max-width:66ch;text-wrap:pretty}
.caption{font-size:13.5px;line-height:1.55;color:var(--muted);margin:10px 0 0;max-width:88ch}
.caption b{color:var(--text);font-weight:600}
.note{color:var(--muted)}
.warning{background:var(--alert-wash);border-left:3px solid var(--alert);border-radius:0 8px 8px 0;padding:10px 16px;font-size:14.5px;max-width:none}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin:22px 0}
.cards>div{background:var(--soft);border-radius:12px;padding:14px 16px;min-width:0}
.cards dt{font-size:12px;color:var(--muted);font-weight:550}
.cards dd{margin:2px 0 0}
.cards b{display:block;font-size:16.5px;font-weight:650;letter-spacing:-.01em;line-height:1.3}
.cards small{display:block;font-size:12.5px;color:var(--muted);line-height:1.4;margin-top:3px}
.badges{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.badge{display:inline-block;font-size:12.5px;font-weight:550;line-height:1.3;padding:4px 10px;border-radius:99px;background:var(--soft);color:var(--muted);text-decoration:none;white-space:nowrap}
.badge.good{background:var(--good-wash);color:var(--good)}
.badge.alert{background:var(--alert-wash);color:var(--alert)}
.badge.note-badge{background:var(--wash);color:var(--accent)}
.facts{display:grid;grid-template-columns:minmax(110px,180px) minmax(0,1fr);gap:6px 20px;font-size:14px;margin:0 0 18px}
.facts dt{color:var(--muted)}.facts dd{margin:0}
.class{font-weight:600}.wrong{color:var(--wrong)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
`;

const TABLES = `
.scroll{position:relative;overflow-x:auto;margin:0 0 6px;border-radius:8px}
table{border-collapse:collapse;font-size:14px;line-height:1.35;width:100%}
th,td{padding:8px 12px;text-align:left;vertical-align:middle;border-bottom:1px solid var(--line);overflow-wrap:normal}
thead th{font-size:12.5px;font-weight:600;color:var(--muted);vertical-align:bottom;border-bottom-width:1.5px}
tbody th{font-weight:500;white-space:nowrap}
th:first-child,td:first-child{padding-left:4px}
table:not(.grid) th:first-child{position:sticky;left:0;background:var(--paper);z-index:1}
tbody tr:hover th:first-child{background:var(--soft)}
.number{text-align:right;font-variant-numeric:tabular-nums}
td.number{white-space:nowrap}
tbody tr:hover{background:var(--soft)}
.ranks td small{display:block;font-size:12px;font-variant-numeric:tabular-nums}
.rank{font-weight:500;font-variant-numeric:tabular-nums;display:inline-block;padding:1px 8px;margin-right:-8px;border-radius:6px}
.best{background:var(--wash);color:var(--accent);font-weight:700}
.best:not(.rank){padding:1px 6px;border-radius:6px;margin-right:-6px}
.arrow{color:var(--accent)}
abbr{text-decoration:underline dotted;cursor:help}
.technique{white-space:nowrap}
.technique i{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px;vertical-align:0}
`;

const PICTURES = `
.store{position:absolute}
.grid{table-layout:fixed}
.grid thead th:first-child{width:136px}
.grid th,.grid td{border:0;padding:3px;text-align:center;font-size:12px;vertical-align:bottom}
.grid tbody th{text-align:left;vertical-align:middle;padding-right:14px;font-size:13px;font-weight:550;position:sticky;left:0;background:var(--paper);z-index:1}
.grid tbody th small{display:block;font-size:11px;white-space:normal;max-width:130px;padding-left:18px}
.grid tbody tr:hover,.grid tbody tr:hover th:first-child{background:var(--paper)}
.grid .class,.grid .probability{display:block;line-height:1.25;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.grid .class{color:var(--text)}.grid .class.wrong{color:var(--wrong)}
.grid .probability{font-weight:400;margin-bottom:4px;font-variant-numeric:tabular-nums}
.grid a{display:block;border-radius:6px}
.cell{display:block;width:100%;height:auto;border-radius:5px;background:var(--soft)}
.missing{display:grid;place-items:center;aspect-ratio:1;border:1px dashed var(--line);border-radius:5px;color:var(--muted);font-size:11px}
.grid a:hover .cell{outline:2px solid var(--accent);outline-offset:1px}
.heat{opacity:.6}.under{filter:url(#grey)}
body:has(#view-map:checked) .heat{opacity:1}
body:has(#view-image:checked) .heat{opacity:0}
body:has(#view-image:checked) .under{filter:none}
.bar{height:26px;width:220px}.bar text{font-size:11px;fill:var(--muted)}
.chart{margin:0;padding:14px 16px 12px;border:1px solid var(--line);border-radius:14px;background:var(--paper);min-width:0}
.chart figcaption{display:flex;justify-content:space-between;align-items:baseline;gap:12px;margin-bottom:8px}
.chart-title{font-weight:600;font-size:14px;letter-spacing:-.005em}
.saves{display:flex;gap:2px;flex:none}
.save{font-size:11px;font-weight:550;color:var(--muted);text-decoration:none;padding:3px 7px;border-radius:6px}
.save:hover{background:var(--wash);color:var(--accent)}
.drawing svg{display:block;width:100%;height:auto;margin:0 auto}
.drawing text{font-family:${FONT}}
`;

const CONTROLS = `
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-999px;top:8px}.skip:focus{left:16px;background:var(--paper);padding:8px 14px;z-index:9}
button,select{font:500 13.5px ${FONT};color:var(--text);background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:6px 12px;max-width:100%}
button{cursor:pointer}button:hover,select:hover{border-color:var(--muted)}
.toolbar{display:flex;flex-wrap:wrap;gap:12px 20px;align-items:center;margin:0 0 16px;font-size:13.5px;color:var(--muted)}
.toolbar label{display:flex;gap:8px;align-items:center}
.segments{display:flex;border:1px solid var(--line);border-radius:9px;padding:2px;margin:0;background:var(--soft)}
.segments legend{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.segments input{position:absolute;opacity:0}
.segments span{padding:4px 14px;border-radius:7px;cursor:pointer;font-weight:550}
.segments input:checked+span{background:var(--paper);color:var(--text);box-shadow:var(--shadow)}
.segments input:focus-visible+span{outline:2px solid var(--accent)}
details{border:1px solid var(--line);border-radius:12px;margin:10px 0;background:var(--paper)}
summary{cursor:pointer;padding:10px 16px;font-size:14px;font-weight:550;border-radius:12px}
summary:hover{background:var(--soft)}
.details-body{padding:4px 16px 16px}
.card summary{display:flex;gap:14px;align-items:center;list-style:none}
.card summary::-webkit-details-marker{display:none}
.card summary::after{content:'▸';color:var(--muted);transition:transform .15s}
.card[open] summary::after{transform:rotate(90deg)}
.thumb{width:52px;flex:none}
.card-title{flex:1;min-width:0;overflow-wrap:break-word;display:flex;flex-direction:column;line-height:1.35}
.card-title .class{font-weight:400;color:var(--muted);font-size:13px}.card-title .class.wrong{color:var(--wrong)}
.top{display:grid;gap:4px;max-width:460px;font-size:13.5px;margin-bottom:14px}
.class-row{display:grid;grid-template-columns:minmax(0,1fr) 150px 62px;gap:12px;align-items:center}
.class-row small{color:var(--muted)}
meter{width:100%;height:10px;accent-color:var(--accent)}
meter::-webkit-meter-bar{background:var(--soft);border:1px solid var(--line);border-radius:5px;height:9px}
meter::-webkit-meter-optimum-value{background:var(--accent);border-radius:5px}
meter::-moz-meter-bar{background:var(--accent)}
.file{margin:6px 0 0;font-size:12px;color:var(--muted)}
`;

const NARROW = `
@media (max-width:1080px){
.page{display:block;padding:0 24px}
nav{position:static;height:auto;padding:20px 0 0;flex-direction:row;flex-wrap:wrap;align-items:center}
nav ol{order:3;flex-direction:row;overflow-x:auto;width:100%;gap:4px}
nav li a{border:0;padding:5px 10px;border-radius:8px;white-space:nowrap;background:var(--soft)}
nav #theme{margin-left:auto}
main{padding-top:24px}
}
@media (max-width:560px){
body{font-size:15px}
.page{padding:0 16px}
.lead{font-size:17px}
h2{font-size:22px}
main>section{margin-top:40px;padding-top:22px}
.chart{padding:12px 10px 8px;border-radius:12px}
.chart figcaption{flex-wrap:wrap}
.cards{grid-template-columns:1fr 1fr}
.card summary{flex-wrap:wrap}
.card .badges{order:3;width:100%;padding-left:66px;margin-top:-8px}
.facts{grid-template-columns:1fr}.facts dt{margin-top:6px}
th,td{padding:7px 8px}
.class-row{grid-template-columns:minmax(0,1fr) 90px 58px}
.grid thead th:first-child{width:106px}
#cost .drawing{overflow-x:auto}#cost .drawing svg{min-width:640px}
.grid tbody th{padding-right:4px;font-size:11px}
.grid tbody th small,.grid thead .technique i{display:none}
.grid thead .technique{font-size:10px;letter-spacing:-.02em}
.grid .technique i{width:7px;height:7px;margin-right:4px}
}
`;

const PRINT = `
@page{margin:14mm}
@media print{
:root:root:root{${LIGHT}}
.page{display:block;padding:0;max-width:none}
nav,.toolbar fieldset,#image-tools,.saves,.skip{display:none}
main{padding:0}
main>section{margin-top:24px}
.chart,.ranks,details,h2,h3{break-inside:avoid}
h2,h3{break-after:avoid}
.scroll{overflow:visible}
body{font-size:10.5pt}
.charts{grid-template-columns:1fr 1fr}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;
