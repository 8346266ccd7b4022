// Everything starts here.
import { startChart } from "./chart.js";
import { fillSwatches } from "./marks.js";
import { startMetric } from "./metric.js";
import { startSorting } from "./sort.js";
import { startViewer } from "./viewer.js";

fillSwatches();
startSorting();
startChart();
startViewer();
startMetric();
