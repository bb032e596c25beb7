# `make` or `make help` lists the targets.
PYTHON := .venv/bin/python
DEMO := demo
SIZE_KM ?= 109.8
KILLS ?= 200
N ?= 2000
OLD ?= HEAD

.DEFAULT_GOAL := help
.PHONY: help environment demo test test-all equal faults fuzz lint format accuracy benchmark benchmark-growth benchmark-region tree-numbers benchmark-classification validate-classification validate-classes-real validate-classification-truth validate-luts fit-visibility validate-official-pairs validate-surface-reflectance validate-lut-interpolation validate-lut-solver validate-lut-aerosol validate-lut-codes validate-toa-uncertainty measure-luts validate-water-vapour validate-aerosol validate-aerosol-real surface-prior conformance check-readers recipes docs wheel clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-28s %s\n", $$1, $$2}'

environment: .venv/complete ## create .venv with all dependencies

.venv/complete: pyproject.toml setup.py .ci/environment
	.ci/environment

demo: .venv/complete ## simulate a scene, process it, draw it, print its errors
	rm -rf $(DEMO)
	.venv/bin/L2A_Simulate --scene summer --size 6 --output $(DEMO)
	.venv/bin/L2A_Process $(DEMO)/*MSIL1C*.SAFE
	$(PYTHON) -m sen2cor.reporting.comparison_figure $(DEMO)/*MSIL1C*.SAFE $(DEMO)/*MSIL2A*.SAFE $(DEMO)/picture.png
	@$(PYTHON) -m sen2cor.simulation.truth_comparison $(DEMO)/*MSIL2A*.SAFE $(DEMO)/*.truth
	@echo "picture: $(DEMO)/picture.png (top of atmosphere, surface, classes)"

test: .venv/complete lint ## run linters and tests, without the slow ones
	$(PYTHON) -m pytest -q -n 2 -m "not slow"

test-all: .venv/complete ## run all tests
	$(PYTHON) -m pytest -q -n 2

equal: .venv/complete ## compare products of a commit and of the working tree bit by bit (OLD=HEAD)
	$(PYTHON) -m tests.equality $(OLD)

faults: .venv/complete ## kills, full disks, locks, concurrent runs: table of the outcomes (KILLS=200)
	$(PYTHON) -m tests.faults.campaign --kills $(KILLS)

fuzz: .venv/complete ## damaged metadata, settings, archives and images: table of the outcomes (N=2000)
	$(PYTHON) -m tests.faults.mutations --number $(N)

lint: .venv/complete ## check style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: .venv/complete ## format the code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

accuracy: .venv/complete ## errors of reflectance, AOT and water vapour on simulated scenes
	$(PYTHON) -m tests.benchmarks.accuracy

benchmark: .venv/complete ## time and memory of a tile, relative to the JPEG 2000 floors; start-up time (SIZE_KM=109.8); ARGS=--store updates the tables of the documentation
	$(PYTHON) -m tests.benchmarks.benchmark --size $(SIZE_KM) $(ARGS)

benchmark-region: .venv/complete ## time, memory and differences of regions of interest beside the whole tile (SIZE_KM=109.8)
	$(PYTHON) -m tests.benchmarks.region --size $(SIZE_KM)

benchmark-growth: .venv/complete ## time and memory against area, tiles and processes
	$(PYTHON) -m tests.benchmarks.growth

tree-numbers: .venv/complete ## modules, lines and functions by package, of a commit and of the working tree (OLD=HEAD)
	$(PYTHON) -m tests.benchmarks.tree_numbers $(OLD)

benchmark-classification: .venv/complete ## CPU time and memory of the scene classification at 20 m, one thread
	$(PYTHON) -m tests.benchmarks.classification

validate-classification: .venv/complete ## agreement with the reference classifications
	$(PYTHON) -m tests.validation.classification

validate-classes-real: .venv/complete ## scene classification of real scenes, polygons drawn by eye (ARGS="--pictures DIR")
	$(PYTHON) -m tests.validation.classes_real $(ARGS)

validate-classification-truth: .venv/complete ## scene classification against the truth of simulated scenes
	$(PYTHON) -m tests.validation.classification_truth

validate-luts: .venv/complete ## look-up tables against those of Sen2Cor, at all nodes
	$(PYTHON) -m tests.validation.look_up_tables

fit-visibility: .venv/complete ## fit optical thickness against visibility to the tables of Sen2Cor
	$(PYTHON) -m tests.validation.visibility_fit

validate-official-pairs: .venv/complete ## surface reflectance with both kinds of tables against official products
	$(PYTHON) -m tests.validation.official_pairs

validate-surface-reflectance: .venv/complete ## real Level-1C pixels against official surface reflectance, or your match-ups (MATCH_UPS=file.csv)
	$(PYTHON) -m $(if $(MATCH_UPS),sen2cor.match_ups $(MATCH_UPS) --plot validation/match_ups.png,tests.validation.surface_reflectance)

validate-lut-interpolation: .venv/complete .venv/luts ## interpolation error of the look-up tables between nodes
	$(PYTHON) -m tests.validation.lut_interpolation

validate-lut-solver: .venv/complete .venv/luts ## look-up tables against a discrete-ordinates solver
	[ -d .venv/solver ] || $(PYTHON) -m pip install --quiet --no-deps --target .venv/solver PythonicDISORT
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=.venv/solver $(PYTHON) -m tests.validation.lut_solver

validate-lut-aerosol: .venv/complete .venv/luts ## separate effects of aerosol phase function and absorption
	$(PYTHON) -m tests.validation.lut_aerosol

validate-lut-codes: .venv/complete ## look-up tables against runs of MODTRAN 6 and libRadtran
	$(PYTHON) -m tests.validation.independent_codes

validate-toa-uncertainty: .venv/complete ## uncertainty of Level-1C reflectance against a port of ESA's tool
	[ -d .venv/rut ] || $(PYTHON) -m pip install --quiet --target .venv/rut s2-rut-python
	$(PYTHON) -m tests.validation.toa_uncertainty

measure-luts: .venv/complete ## size of the look-up tables, time to load and to evaluate them
	$(PYTHON) -m tests.validation.lut_cost

.venv/luts: .venv/complete
	$(PYTHON) -m pip install --quiet -e '.[luts]'
	touch .venv/luts

validate-aerosol-real: .venv/complete ## aerosol of real scenes and agreement with official reflectance, both methods
	$(PYTHON) -m tests.validation.aerosol_real_scenes $(ARGS)

surface-prior: .venv/complete ## make the prior of the surface anew (LIBRARY=surface_reflectance_10nm.csv)
	$(PYTHON) -m pip install --quiet 'numpy<2' prosail==2.0.5 scikit-learn 'pandas<3'
	[ -d .venv/prior ] || $(PYTHON) -m pip install --quiet --target .venv/prior --no-deps SPART-python==1.0.9
	PYTHONPATH=.venv/prior $(PYTHON) -m sen2cor.simulation.surface_prior $(LIBRARY)

validate-water-vapour: .venv/complete ## water vapour with both kinds of tables against ECMWF auxiliary data
	$(PYTHON) -m tests.validation.water_vapour

validate-aerosol: .venv/complete ## aerosol of scenes of known truth, by the radiative transfer of Sen2Cor's look-up tables (ARGS=--physical)
	$(PYTHON) -m tests.validation.aerosol $(ARGS)

conformance: .venv/complete ## check metadata against the official schemas and compare with other products
	$(PYTHON) -m pytest -v tests/conformance
	$(PYTHON) -m tests.conformance.elements

check-readers: .venv/complete ## open products with other readers, each in its own environment
	$(PYTHON) -m tests.conformance.check_readers

recipes: .venv/readers-recipes/complete ## run the recipes of "Open the product"
	$(PYTHON) -m pytest -q tests/test_recipes.py

.venv/readers-recipes/complete: .venv/complete
	$(PYTHON) -m venv .venv/readers-recipes
	.venv/readers-recipes/bin/python -m pip install --quiet rioxarray odc-stac 'dask[array]' pystac
	touch $@

docs: .venv/complete ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
	@echo "documentation: site/index.html"

wheel: .venv/complete ## build source archive and wheel into dist/
	$(PYTHON) -m build --outdir dist

clean: ## remove the environment and all generated files
	rm -rf .venv build dist site *.egg-info $(DEMO) benchmark-work .equal
