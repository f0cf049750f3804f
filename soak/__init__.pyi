from soak.api import compare as compare
from soak.api import interleave as interleave
from soak.api import load_run as load_run
from soak.api import run as run
from soak.comparison.judgement import Comparison as Comparison
from soak.report.record import RunRecord as RunRecord

__version__: str
